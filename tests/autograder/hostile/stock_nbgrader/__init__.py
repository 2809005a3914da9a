"""Stock nbgrader on the corpus: an assignment made of Lab 1 as its users write them, autograded case by case."""
