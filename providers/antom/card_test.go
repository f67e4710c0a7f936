package antom

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paystatus/paystatus/providers/providertest"
	"github.com/paystatus/paystatus/schemas"
)

func TestTheMisspelledCAVVOfTheDocumentationArrives(t *testing.T) {
	t.Parallel()
	for _, f := range providertest.Fixtures(t, reader(t), "testdata") {
		if f.Name != "sample_notification" {
			continue
		}
		require.Contains(t, string(f.Body), `"caav": "cavvSample"`)
		require.NotContains(t, string(f.Body), `"cavv"`)
		obs := observed(t, reader(t).Read(f.Answer(), f.Payment))
		assert.Equal(t, &schemas.ThreeDS{Version: "2.2.0", ECI: "02", CAVV: "cavvSample", XID: "sample_dsTranasctionId"}, obs.ThreeDS)
		return
	}
	t.Fatal("the documentation's sample is missing")
}

func TestThreeDS(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for name, tc := range map[string]struct {
		first, second object // paymentResultInfo and cardInfo
		want          *schemas.ThreeDS
	}{
		"cavv before caav":          {object{"cavv": "A", "caav": "B"}, nil, &schemas.ThreeDS{CAVV: "A"}},
		"caav where cavv is empty":  {object{"cavv": "", "caav": "B"}, nil, &schemas.ThreeDS{CAVV: "B"}},
		"xid of version 1":          {object{"threeDSVersion": "1.0.2", "xid": "X"}, nil, &schemas.ThreeDS{Version: "1.0.2", XID: "X"}},
		"zeros are kept":            {object{"eci": "05"}, nil, &schemas.ThreeDS{ECI: "05"}},
		"challenged as a bool":      {object{"challenged": true}, nil, &schemas.ThreeDS{Challenged: &yes}},
		"not challenged, as text":   {object{"challenged": "false"}, nil, &schemas.ThreeDS{Challenged: &no}},
		"from cardInfo where empty": {object{"eci": "", "cavv": "A"}, object{"eci": "02", "cavv": "B"}, &schemas.ThreeDS{ECI: "02", CAVV: "A"}},
		"empty texts are nothing":   {object{"eci": "", "cavv": "", "challenged": ""}, object{"eci": " "}, nil},
		"nothing":                   {nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := success.with(object{"paymentResultInfo": object{"threeDSResult": tc.first}, "cardInfo": object{"threeDSResult": tc.second}})
			assert.Equal(t, tc.want, observed(t, query(t, body, payment())).ThreeDS)
		})
	}
}

func TestCard(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first, second object
		want          *schemas.Card
	}{
		"first non-empty of both": {
			object{"cardBrand": "", "funding": "DEBIT"}, object{"cardBrand": "VISA", "funding": "CREDIT"}, &schemas.Card{Brand: "VISA", Funding: "DEBIT"},
		},
		"from the masked number": {object{"cardNo": "411111******1234"}, nil, &schemas.Card{BIN: "411111", Last4: "1234"}},
		"its own fields come first": {
			object{"cardNo": "411111******1234", "cardBin": "41111122", "lastFour": "5678"}, nil, &schemas.Card{BIN: "41111122", Last4: "5678"},
		},
		"only the end of the number":     {object{"cardNo": "************1234"}, nil, &schemas.Card{Last4: "1234"}},
		"expiry":                         {object{"expiryYear": "31", "expiryMonth": "02"}, nil, &schemas.Card{Expiry: "2031-02"}},
		"expiry in full, without a zero": {object{"expiryYear": 2031, "expiryMonth": 2}, nil, &schemas.Card{Expiry: "2031-02"}},
		"an expiry that is none":         {object{"expiryYear": "31", "expiryMonth": "13"}, nil, nil},
		"half an expiry":                 {object{"expiryMonth": "12"}, nil, nil},
		"token, issuer, country, region": {
			object{"cardToken": "T"},
			object{"issuerName": "A", "issuingCountry": "KR", "paymentMethodRegion": "KR"},
			&schemas.Card{Token: "T", Issuer: "A", Country: "KR", Region: "KR"},
		},
		"nothing": {object{"cardNo": "", "cardBrand": " "}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := success.with(object{"paymentResultInfo": tc.first, "cardInfo": tc.second})
			assert.Equal(t, tc.want, observed(t, query(t, body, payment())).Card)
		})
	}
}

func TestAVSAndCVV(t *testing.T) {
	t.Parallel()
	body := success.with(object{
		"paymentResultInfo": object{"avsResultRaw": "", "cvvResultRaw": "Y"},
		"cardInfo":          object{"avsResultRaw": "A", "cvvResultRaw": "N"},
	})
	obs := observed(t, query(t, body, payment()))
	assert.Equal(t, "A", obs.AVS)
	assert.Equal(t, "Y", obs.CVV)
}
