"""What every part may use: it is no app and knows no model."""
