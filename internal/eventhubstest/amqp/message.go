package amqp

import "errors"

// The sections of a message (part 3, section 3.2).
const (
	codeHeader                = 0x70
	codeDeliveryAnnotations   = 0x71
	codeMessageAnnotations    = 0x72
	codeProperties            = 0x73
	codeApplicationProperties = 0x74
	codeData                  = 0x75
	codeSequence              = 0x76
	codeValue                 = 0x77
	codeFooter                = 0x78
)

// Message is a message, as far as a server looks into it.
type Message struct {
	Annotations Map
	Properties  List // message-id first, reply-to fifth
	Application Map
	Data        [][]byte
	Value       Value
	Bare        []byte // properties, application properties and body as they came
}

// DecodeMessage reads a message. It refuses sections that part 3 does not know.
func DecodeMessage(b []byte) (m Message, err error) {
	for len(b) > 0 {
		v, rest, err := Decode(b)
		if err != nil {
			return m, err
		}
		d, ok := v.(Described)
		if !ok {
			return m, errors.New("amqp: a section without a descriptor")
		}
		if err := m.add(d, b[:len(b)-len(rest)]); err != nil {
			return m, err
		}
		b = rest
	}
	return m, nil
}

func (m *Message) add(section Described, raw []byte) error {
	ok := true
	switch section.Code {
	case codeHeader, codeDeliveryAnnotations, codeFooter:
		return nil
	case codeMessageAnnotations:
		m.Annotations, ok = section.Value.(Map)
		if !ok {
			return errors.New("amqp: annotations are not a map")
		}
		return nil
	case codeProperties:
		m.Properties, ok = section.Value.(List)
	case codeApplicationProperties:
		m.Application, ok = section.Value.(Map)
	case codeData:
		var data Binary
		data, ok = section.Value.(Binary)
		m.Data = append(m.Data, data)
	case codeValue:
		m.Value = section.Value
	case codeSequence:
	default:
		ok = false
	}
	if !ok {
		return errors.New("amqp: a section is of another type than it should be")
	}
	m.Bare = append(m.Bare, raw...)
	return nil
}

// AppendAnnotations adds the section of message annotations.
func AppendAnnotations(b []byte, m Map) []byte {
	return Described{Code: codeMessageAnnotations, Value: m}.encode(b)
}

// AppendProperties adds the section of properties.
func AppendProperties(b []byte, l List) []byte {
	return Described{Code: codeProperties, Value: l}.encode(b)
}

// AppendApplication adds the section of application properties.
func AppendApplication(b []byte, m Map) []byte {
	return Described{Code: codeApplicationProperties, Value: m}.encode(b)
}

// AppendData adds a body of bytes.
func AppendData(b, data []byte) []byte {
	return Described{Code: codeData, Value: Binary(data)}.encode(b)
}

// AppendValue adds a body that is one value.
func AppendValue(b []byte, v Value) []byte { return Described{Code: codeValue, Value: v}.encode(b) }
