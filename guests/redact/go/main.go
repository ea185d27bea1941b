// Hash attributes that name people, and mask what looks like personal data in any text.
package main

import (
	otelwasm "github.com/otelwasm/otelwasm/guests/sdk/go"
	"github.com/otelwasm/otelwasm/guests/sdk/go/pdata"
	"github.com/otelwasm/otelwasm/guests/sdk/go/processor"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

type Config struct {
	// Equal values keep equal hashes, so that one user's requests can still be told apart.
	Hash []string `json:"hash"`
	// Without a secret of your own, hashes of e-mail addresses and the like can be guessed.
	Salt string `json:"salt"`
	// What to write in place of a text, and the pattern that finds it: {email: '[\w.+-]+@\S+'}.
	Mask Masks `json:"mask"`
}

func init() {
	processor.Register(func(config Config) (otelwasm.Processor, error) {
		hashed := map[string]bool{}
		for _, key := range config.Hash {
			hashed[key] = true
		}
		return pdata.Processor(&redact{config, hashed})
	}, Config{})
}

type redact struct {
	config Config
	hashed map[string]bool
}

// attributes redacts one set of attributes, and says whether there was anything to redact.
func (r *redact) attributes(attributes pcommon.Map) (isChanged bool) {
	for key, value := range attributes.All() {
		if r.hashed[key] {
			value.SetStr(hash(value, r.config.Salt))
			isChanged = true
		}
		isChanged = r.config.Mask.apply(value) || isChanged
	}
	return isChanged
}

func main() {}
