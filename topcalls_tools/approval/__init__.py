"""How a person is asked where no assistant's form does it: at the terminal, or by a slip."""
