package providers

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFullCardNumbersAreMasked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, want string }{
		"visa":                             {`{"n":"4242424242424242"}`, `{"n":"424242******4242"}`},
		"visa with blanks":                 {`4242 4242 4242 4242`, `4242 42** **** 4242`},
		"visa with hyphens":                {`4242-4242-4242-4242.`, `4242-42**-****-4242.`},
		"visa of 13 digits":                {`4222222222222`, `422222***2222`},
		"mastercard":                       {`5555555555554444`, `555555******4444`},
		"mastercard of the 2 series":       {`2223003122003222`, `222300******3222`},
		"american express":                 {`378282246310005`, `378282*****0005`},
		"diners of 14 digits":              {`30569309025904`, `305693****5904`},
		"behind another number":            {`300 4242424242424242`, `300 424242******4242`},
		"after a line break in JSON":       {`"card:\n4242424242424242"`, `"card:\n424242******4242"`},
		"after a blank escaped in JSON":    {`"card:\u00204242424242424242"`, `"card:\u0020424242******4242"`},
		"behind two escapes":               {`"a\na\n4242424242424242"`, `"a\na\n424242******4242"`},
		"behind an escaped backslash":      {`"a\\n4242424242424242"`, ``},
		"as a JSON number":                 {`{"n":4242424242424242}`, `{"n":424242******4242}`},
		"two in one text":                  {`4242424242424242,5555555555554444`, `424242******4242,555555******4444`},
		"a wrong check digit":              {`4242424242424243`, ``},
		"next to a letter":                 {`a4242424242424242`, ``},
		"followed by a letter":             {`4242424242424242x`, ``},
		"next to a letter of another text": {`é4242424242424242`, ``},
		"inside a longer number":           {`94242424242424242421234`, ``},
		"a visa of 14 digits":              {`42424242424242`, ``},
		"an issuer nobody is":              {`1234567812345670`, ``},
		"a time stamp":                     {`2022-03-01 21:16:42`, ``},
		"a masked number":                  {`411111******1111`, ``},
		"the payment's own identifier":     {`{"id":"4000056655665556"}`, ``},
		"an identifier with hyphens":       {`4000-0566-5566-5556`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, found := MaskCardNumbers([]byte(tc.text), []string{"4000056655665556"})
			if tc.want == "" {
				tc.want = tc.text
			}
			assert.Equal(t, tc.want, string(got))
			assert.Equal(t, tc.want != tc.text, found)
		})
	}
}

func BenchmarkMaskCardNumbers2KB(b *testing.B) {
	text := []byte(strings.Repeat(`{"id": "pay_g26ap2k3dtt2vdx5shygqfsk2e", "amount": 5000, "time": "2022-03-01T21:16:42Z"}`, 23))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		MaskCardNumbers(text, nil)
	}
}
