"""Action items: what somebody will do by a day, because of something that happened."""
