"""What Lecture 10 builds and the class uses. Services import `course`; nothing imports them."""
