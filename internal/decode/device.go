package decode

import (
	"strings"

	"noroshi/internal/event"
)

// deviceName is the name of the device at hand: of a sign-in the client's, of an audit that of the device that came to the tenant.
func deviceName(r *Reader, _ string) string {
	switch r.view.shape {
	case event.UAL:
		if name := r.at("DeviceProperties[DisplayName]"); name != "" || !registers(r.Event.Text(event.Action)) {
			return name
		}
		return strings.TrimSpace(first(r.changed("Device.DisplayName"), r.changed("CloudDisplayName")))
	case event.Entra, event.Graph:
		if name := r.enveloped("properties.deviceDetail.displayName"); name != "" || !registers(r.Event.Text(event.Action)) {
			return name
		}
		t, _ := r.target("Device")
		return strings.TrimSpace(first(t.DisplayName, r.changed("Device.DisplayName"), r.changed("CloudDisplayName")))
	case event.Defender:
		return r.at("properties.DeviceName")
	}
	return ""
}

// registers reports whether an operation adds a device to the directory.
func registers(action string) bool {
	switch action {
	case "Register device", "Add device", "Add registered owner to device", "Add registered users to device":
		return true
	}
	return false
}
