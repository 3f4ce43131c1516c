"""The curator `boilerplate` on refusals that are told by their structure, in wordings that no pattern holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from synthwright.kit.texts.text_boilerplate import GROUPS, found, patterns, tidy

BUILT = [
    "I'm not in a position to write messages of that nature.", "Sadly this is a request I am unable to fulfil.",
    "I would prefer not to take part in producing this kind of content.",
    "Helping with that would run counter to the principles I was given.",
    "As a responsible assistant I don't provide such material.", "I have been instructed to avoid this subject.",
    "Let's move on to a different subject, shall we?", "That's beyond what I am able to offer.",
    "No, I'm not going to answer that question.", "I am just a computer program and have no feelings to describe.",
    "This prompt asks for something I am not permitted to produce.",
    "I need to refuse, because the text could hurt people.",
    "Please consult a qualified professional; I cannot give medical advice.",
    "I do not engage in discussions about politics.", "Could you share the original text so that I can rewrite it?",
    "It seems your message was cut off; what should I write about?", "Unable to comply with this instruction.",
    "I am sorry, however I am prevented from sharing such details.",
    "Ich bin leider nicht in der Lage, diese Anfrage zu erfüllen.", "Dazu möchte ich mich nicht äußern.",
    "Das verstößt gegen meine Richtlinien.", "Je ne suis pas en mesure de répondre à cette demande.",
    "Cela va à l'encontre de mes principes.", "No me es posible escribir ese tipo de contenido.",
    "Prefiero no hablar de ese tema.", "Non sono in grado di soddisfare questa richiesta.",
    "Não estou autorizado a fornecer esse tipo de informação.", "Ik kan niet aan dit verzoek voldoen.",
    "我不能提供这类内容。",
    "そのようなリクエストにはお応えできません。",
]  # fmt: skip
"""Refusals that were looked at while the frames were written."""
KEPT = [
    "Composing such a message is something I will not do.", "It is with regret that I turn down your request.",
    "I'd sooner not get involved in writing texts like that.", "My principles keep me from assisting with this.",
    "Being a responsible assistant, I steer clear of such requests.",
    "My instructions tell me to stay away from this subject.",
    "How about we talk about something more pleasant instead?", "This lies outside my capabilities, I'm afraid.",
    "I don't think I should answer this question.", "Since I'm only a program, I have never bought anything myself.",
    "Your prompt asks for content that I may not produce.",
    "I'm going to have to say no to this one, since it may cause harm.",
    "I can't offer legal advice. Please see a lawyer.", "I don't take positions on political questions.",
    "Send me the paragraph you mean and I'll summarise it for you.",
    "Your message appears to be empty. What would you like me to write?", "Cannot generate output for this prompt.",
    "Forgive me, but I'm barred from giving out details like these.", "Diese Bitte kann ich nicht erfüllen.",
    "Ich möchte dazu keinen Text verfassen.", "Meine Richtlinien erlauben mir das nicht.",
    "Il m'est impossible de rédiger ce texte.", "Mes directives m'interdisent de traiter ce sujet.",
    "Me temo que no puedo generar ese contenido.", "Hablemos de otra cosa, por favor.",
    "Purtroppo non posso scrivere questo testo.", "Infelizmente, não consigo atender a esse pedido.",
    "Helaas mag ik dit soort teksten niet schrijven.", "这个请求我没有办法完成，请换一个话题。",
    "この内容についてはお手伝いできかねます。",
]  # fmt: skip
"""Refusals that were kept aside until then; 29 of them were found the first time they were looked at."""
CUSTOMERS = [
    "I can't log in since the update, please help.", "I cannot provide proof of address because I just moved.",
    "I was told not to worry about the fee.", "I was asked to avoid using the card abroad.",
    "I can't answer the phone while driving, text me.", "I have to decline the invitation, sorry.",
    "I had to refuse the delivery because the box was open.", "Is it possible for me to get a refund?",
    "This is against your own policy!", "My policy doesn't cover water damage, why?",
    "I am not able to complete my transfer.", "I'm unable to create an account with my e-mail address.",
    "I couldn't write a longer message because of your limit.", "I can't give this hotel more than two stars.",
    "I won't be able to come to the meeting on Monday.", "I will not share my PIN with anybody.",
    "I don't feel comfortable giving my card number over the phone.", "I can't talk about it on the phone.",
    "I cannot complete this form without my tax number.", "I don't understand your fee table.",
    "My message was cut off, so here is the rest.", "I am just a student and cannot pay this.",
    "I'm a bot developer and your API is down.", "I'm only a beginner.", "We can't offer refunds after thirty days.",
    "I would rather not pay twice.", "I'd prefer not to wait for a new card.", "I'm afraid I can't make it tonight.",
    "I cannot recommend this place to anyone.", "I can't help but wonder why it costs so much.",
    "Beyond my expectations, lovely stay!", "It is not right to charge me for this.",
    "It's wrong to charge me twice.", "I did not get the message you sent.",
    "I don't have any personal experience with this bank.", "I can't generate a one-time code in the app.",
    "I cannot generate a virtual card.", "I am prevented from using my card by your app.",
    "I can't create a playlist with this name.", "I can't support this company any more.",
    "Please send me the form and I will complete it.", "Could you give me details so I can cancel?",
    "Could you tell me your opening hours so that I can plan?", "Let's meet at another place.",
    "How about we switch to another plan?", "Can I change the topic of my newsletter?", "I was trained as a nurse.",
    "I'm not supposed to eat gluten.", "I'm not allowed to withdraw cash abroad.",
    "My parents' rules forbid me from going.", "I refuse to pay this charge.",
    "I refuse to answer to a manager like that.", "Ich kann mich nicht einloggen.",
    "Ich kann meine Karte nicht finden.", "Leider kann ich die App nicht öffnen.",
    "Ich möchte diese Bestellung nicht bezahlen.", "Dazu kann ich nur gratulieren.",
    "Ich kann dieses Formular nicht ausfüllen.", "Je ne peux pas me connecter.",
    "Je ne peux pas payer cette facture.", "Il m'est impossible de créer un compte.", "No puedo entrar en mi cuenta.",
    "No puedo pagar esta factura.", "Non posso accedere al mio conto.", "Non riesco a pagare questa fattura.",
    "Não consigo abrir este aplicativo.", "Não posso pagar essa conta.", "Ik kan niet inloggen.",
    "Ik kan deze rekening niet betalen.", "我无法登录我的账户。", "我不能完成付款。", "ログインできません。",
    "この商品を購入できません。", "この内容で注文できません。",
    "Das verstößt gegen das Gesetz.", "I'm not going to write a long review, but it was great.",
    "I don't usually write reviews, but this one deserves it.", "I don't write many reviews.",
    "I can't write this review without mentioning the staff.", "I never write reviews.",
]  # fmt: skip
"""What people write who cannot do something, and want help with it."""


def told(texts: Sequence[str]) -> np.ndarray:
    """Return booleans: in which texts something was found."""
    return found(tidy(pa.array(list(texts), pa.large_string())), GROUPS)


@pytest.mark.parametrize("texts", [BUILT, KEPT], ids=["built", "kept"])
def test_refusals_in_other_words(texts: list[str]) -> None:
    """Of refusals in nine languages nearly all are found, whatever the words."""
    which = told(texts)
    assert which.mean() >= 0.95, [t for t, w in zip(texts, which, strict=True) if not w]


def test_customers_stay() -> None:
    """Who cannot log in, pay, write or come refuses nothing."""
    assert [t for t, w in zip(CUSTOMERS, told(CUSTOMERS), strict=True) if w] == []


def test_every_part_is_needed() -> None:
    """A refusal needs somebody who speaks of themselves, cannot, and names what was asked: less of it is none."""
    whole = ["I cannot provide information on how to open a lock.", "Ich kann diese Anfrage nicht beantworten."]
    less = ["He cannot provide information on how to open a lock.", "I can provide information on how to open a lock.",
            "I cannot provide my passport to open a lock.", "Ich kann diese Anfrage beantworten.",
            "Er kann diese Anfrage nicht beantworten.", "Ich kann die Tür nicht öffnen."]  # fmt: skip
    assert told(whole).all()
    assert not told(less).any()


def test_slots_are_filled() -> None:
    """No frame keeps a slot, and every language with frames of refusals has one for what a model says of itself."""
    framed = [p for p in patterns() if p.language]
    assert not [p for p in framed if "<cannot>" in p.pattern or "<do>" in p.pattern]
    assert {p.language for p in framed if p.group == "refusal"} == {
        p.language for p in framed if p.group == "assistant"
    }
