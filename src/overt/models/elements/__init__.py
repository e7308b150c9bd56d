"""Which element of a page a person presses next, among all that they could press."""
