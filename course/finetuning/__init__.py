"""A small change to a trained model: LoRA, fine-tuning on bank calls, and what is forgotten (Lecture 9)."""
