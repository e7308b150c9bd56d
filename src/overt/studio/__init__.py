"""The web app: the five-minute study, the page of a study, and the JSON interface for devices."""
