package liquido_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/paystatus/paystatus/providers"
	"github.com/paystatus/paystatus/providers/liquido"
	"github.com/paystatus/paystatus/schemas"
)

func TestTheDefaultsAreLiquidosProduction(t *testing.T) {
	t.Parallel()
	settings := liquido.Definition.Settings().(*liquido.Settings)
	assert.Equal(t, "https://api.liquido.com", settings.BaseURL)
	assert.Equal(t, "https://authsg.liquido.com/oauth2/token", settings.TokenURL)
	assert.Equal(t, 8*time.Second, settings.Timeout)
}

func TestWhatIsWrongInTheConfigurationIsNamedByItsKey(t *testing.T) {
	t.Parallel()
	const accounts = "\naccounts: {default: {client_id: a, client_secret: b, api_key: c}}"
	for name, tc := range map[string]struct {
		text string
		keys []string
	}{
		"complete": {accounts, nil},
		"the sandbox": {
			"base_url: https://api-qa.liquido.com\ntoken_url: https://auth-dev.liquido.com/oauth2/token" + accounts, nil,
		},
		"no account": {`timeout: 1s`, []string{"accounts"}},
		"nothing in an account": {
			`accounts: {default: {}}`, []string{"accounts.default.client_id", "accounts.default.client_secret", "accounts.default.api_key"},
		},
		"a line break in a key": {`accounts: {default: {client_id: a, client_secret: b, api_key: "c\nd"}}`, []string{"accounts.default.api_key"}},
		"a plain token URL": {
			"token_url: http://auth.example/token" + accounts, []string{"token_url"},
		},
		"mixed environments": {
			"base_url: https://api-qa.liquido.com" + accounts, []string{"token_url"},
		},
		"common settings": {"timeout: 0s" + accounts, []string{"timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := liquido.Definition.Settings()
			require.NoError(t, yaml.Unmarshal([]byte(tc.text), settings))
			var keys []string
			for _, problem := range settings.Validate() {
				keys = append(keys, problem.Key)
			}
			assert.Equal(t, tc.keys, keys)
		})
	}
}

func TestPrintedSettingsShowNoSecret(t *testing.T) {
	t.Parallel()
	settings := liquido.Definition.Settings().(*liquido.Settings)
	settings.Accounts = map[string]liquido.Account{"default": {ClientID: "id", ClientSecret: "hidden-one", APIKey: "hidden-two"}}
	text, err := yaml.Marshal(settings)
	require.NoError(t, err)
	assert.NotContains(t, string(text)+fmt.Sprintf("%+v %#v", settings, settings), "hidden")
	assert.Contains(t, string(text), "client_id: id")
}

func TestSettingsOfAnotherProviderAreRefused(t *testing.T) {
	t.Parallel()
	_, err := liquido.Definition.New(nil, providers.Options{})
	require.Error(t, err)
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reference schemas.Reference
		response  string
		key       string
		field     string
	}{
		"a key":              {schemas.Reference{"idempotency_key": "order-7001"}, "", "order-7001", ""},
		"a key of 128 bytes": {schemas.Reference{"idempotency_key": strings.Repeat("ñ", 64)}, "", strings.Repeat("ñ", 64), ""},
		"a key of 129 bytes": {schemas.Reference{"idempotency_key": strings.Repeat("ñ", 64) + "x"}, "", "", "reference.idempotency_key"},
		"an empty key":       {schemas.Reference{"idempotency_key": " "}, "", "", "reference.idempotency_key"},
		"a line break":       {schemas.Reference{"idempotency_key": "a\nb"}, "", "", "reference.idempotency_key"},
		"a path":             {schemas.Reference{"idempotency_key": ".."}, "", "", "reference.idempotency_key"},
		"other names":        {schemas.Reference{"payment_id": "x", "idempotency_key": "order-7001"}, "", "order-7001", ""},
		"nothing":            {nil, "", "", "reference"},
		"only other names":   {schemas.Reference{"payment_id": "x"}, "", "", "reference"},
		"from the initiation": {
			nil, `{"idempotencyKey":"order-7001","transferDetails":{"card":{"cardInfo":{"expirationMonth":06}}}}`, "order-7001", "",
		},
		"from one without a key":         {nil, `{"transferStatus":"IN_PROGRESS"}`, "", "reference"},
		"from one that cannot be read":   {nil, `<html>`, "", "reference"},
		"the reference before the reply": {schemas.Reference{"idempotency_key": "order-7001"}, `{"idempotencyKey":"order-7002"}`, "order-7001", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := initiated()
			event.Reference = tc.reference
			if tc.response != "" {
				event.InitiationResponse = &schemas.InitiationResponse{HTTPStatus: 200, Body: tc.response}
			}
			got, err := newReader(t).Identify(event)
			if tc.field != "" {
				var wrong *schemas.FieldError
				require.ErrorAs(t, err, &wrong)
				assert.Equal(t, tc.field, wrong.Field)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, schemas.Reference{"idempotency_key": tc.key}, got)
		})
	}
}
