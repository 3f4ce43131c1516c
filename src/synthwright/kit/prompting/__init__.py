"""What language models are asked and what they answer: prompts, forms of answers, conversations, rubrics and raters."""
