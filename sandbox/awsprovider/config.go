package awsprovider

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// defaultMaxRetries is the official provider's:
// https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs#max_retries-1
const defaultMaxRetries = 25

// settings are the provider's settings that the sandbox takes, each with what is wrong
// with a value, or "".
var settings = map[string]func(v any) string{
	"region":              isRegion,
	"maxRetries":          isCount,
	"allowedAccountIds":   func(v any) string { return accountListed(v, true) },
	"forbiddenAccountIds": func(v any) string { return accountListed(v, false) },
	// How AWS is reached, checked and signed for makes no difference here.
	"retryMode":                      isText,
	"s3UsEast1RegionalEndpoint":      isText,
	"s3UsePathStyle":                 isSwitch,
	"skipCredentialsValidation":      isSwitch,
	"skipMetadataApiCheck":           isSwitch,
	"skipRegionValidation":           isSwitch,
	"skipRequestingAccountId":        isSwitch,
	"stsRegion":                      isRegion,
	"tokenBucketRateLimiterCapacity": isCount,
	"useDualstackEndpoint":           isSwitch,
	"useFipsEndpoint":                isSwitch,
	// These belong to the engine.
	"version": isText, "pluginDownloadURL": isText,
}

// refused are the settings that would change what the program gets, with what to do.
var refused = map[string]string{
	"accessKey":                 withoutCredentials,
	"secretKey":                 withoutCredentials,
	"token":                     withoutCredentials,
	"profile":                   withoutCredentials,
	"sharedConfigFiles":         withoutCredentials,
	"sharedCredentialsFiles":    withoutCredentials,
	"assumeRole":                withoutCredentials,
	"assumeRoleWithWebIdentity": withoutCredentials,
	"defaultTags":               "the simulated AWS account does not model default tags: give each resource its tags",
	"ignoreTags":                "the simulated AWS account does not model ignored tags: use ignoreChanges on the resource",
}

const withoutCredentials = "the simulated AWS account is always used as its operator " + account.OperatorARN + ": leave it out"

// CheckConfig refuses settings that the simulated account could not honour.
func (p *Provider) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.CheckResponse{Inputs: req.GetNews()}
	fail := func(property, reason string) {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{Property: property, Reason: reason})
	}
	for _, key := range news.StableKeys() {
		v := news[key]
		if resource.IsInternalPropertyKey(key) || v.IsNull() || v.ContainsUnknowns() {
			continue
		}
		valid, known := settings[string(key)]
		if !known {
			reason, listed := refused[string(key)]
			if !listed {
				reason = "the simulated AWS account does not know this setting: leave it out"
			}
			if !isEmpty(settingOf(v)) {
				fail(string(key), reason)
			}
			continue
		}
		if reason := valid(settingOf(v)); reason != "" {
			fail(string(key), reason)
		}
	}
	if region, given := news["region"]; !given || region.IsNull() {
		fail("region", "is required: expected one of "+strings.Join(account.Regions(), ", "))
	}
	return response, nil
}

// DiffConfig replaces the provider, and with it everything that it manages, when its
// region changes, as pulumi-aws 6 does.
func (p *Provider) DiffConfig(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, err := plugin.Unmarshal(req.GetOldInputs())
	if err != nil {
		return nil, err
	}
	news, err := plugin.Unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	_, had := olds["region"]
	return plugin.Diff(olds, news, func(path resource.PropertyPath) bool {
		return path[0] == "region" && had && !news["region"].IsComputed()
	}), nil
}

// Configure chooses the region and makes sure that the account answers.
func (p *Provider) Configure(ctx context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	args, err := plugin.Unmarshal(req.GetArgs())
	if err != nil {
		return nil, err
	}
	region, _ := settingOf(args["region"]).(string)
	if reason := isRegion(region); reason != "" {
		return nil, fmt.Errorf("aws:region: %s", reason)
	}
	if retries, given := args["maxRetries"]; given {
		n, ok := settingOf(retries).(float64)
		if !ok {
			return nil, fmt.Errorf("aws:maxRetries: %s", isCount(settingOf(retries)))
		}
		p.maxRetries = int(n)
	}
	client, err := p.connect()
	if err != nil {
		return nil, fmt.Errorf("simulated AWS account: %w", err)
	}
	if err := client.Ping(ctx); err != nil {
		return nil, fmt.Errorf("simulated AWS account: %w", err)
	}
	p.client, p.region = client, region
	return p.Configured(), nil
}

// settingOf returns a setting's value. The SDKs give what is not text as JSON text.
func settingOf(v resource.PropertyValue) any {
	plain, _ := plugin.Plain(v)
	text, ok := plain.(string)
	if !ok {
		return plain
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return text
	}
	if _, isText := value.(string); isText {
		return text
	}
	return value
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func isRegion(v any) string {
	if name, ok := v.(string); ok && slices.Contains(account.Regions(), name) {
		return ""
	}
	return fmt.Sprintf("%q is not a region of the simulated AWS account: expected one of %s", fmt.Sprint(v), strings.Join(account.Regions(), ", "))
}

func isText(v any) string {
	if _, ok := v.(string); ok {
		return ""
	}
	return fmt.Sprintf("expected a text, got %v", v)
}

func isSwitch(v any) string {
	if _, ok := v.(bool); ok {
		return ""
	}
	return fmt.Sprintf("expected true or false, got %v", v)
}

func isCount(v any) string {
	if n, ok := v.(float64); ok && n >= 0 && n == math.Trunc(n) {
		return ""
	}
	return fmt.Sprintf("expected a whole number from 0 up, got %v", v)
}

func accountListed(v any, wanted bool) string {
	list, ok := v.([]any)
	if !ok {
		return "expected a list of account numbers"
	}
	if len(list) > 0 && slices.Contains(list, any(account.AccountID)) != wanted {
		return "the simulated AWS account is " + account.AccountID + ", which this setting shuts out"
	}
	return ""
}
