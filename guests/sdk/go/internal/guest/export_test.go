package guest

// Forget ends the registration, for another test's.
func Forget() { create, plugin = nil, nil }
