package iampolicy_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

func use(arns ...pulumi.StringInput) iampolicy.Document {
	return iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid: "Use", Actions: []string{"kms:Decrypt"}, Resources: arns,
	}}}
}

// The document waits for what it is made of, and takes over its secretness.
func TestJSONOfOutputs(t *testing.T) {
	program := func(ctx *pulumi.Context) error {
		key, err := kms.NewKey(ctx, "key", &kms.KeyArgs{})
		if err != nil {
			return err
		}
		plain, err := use(pulumi.String("arn:aws:kms:eu-central-1:123456789012:key/a"), key.Arn).JSON(iampolicy.Identity)
		if err != nil {
			return err
		}
		secret, err := use(pulumi.ToSecret(key.Arn).(pulumi.StringOutput)).JSON(iampolicy.Identity)
		if err != nil {
			return err
		}
		ctx.Export("plain", plain)
		ctx.Export("secret", secret)
		return nil
	}
	g := pulumitest.Run(t, program, pulumitest.Options{})
	text, ok := g.Output("plain").(string)
	require.True(t, ok, "%v", g.Output("plain"))
	assert.Regexp(t, `"Resource":\["arn:aws:kms:eu-central-1:123456789012:key/a","arn:aws:kms:eu-central-1:123456789012:key/[0-9a-f-]+"\]`, text)
	assert.False(t, g.IsSecretOutput("plain"))
	assert.True(t, g.IsSecretOutput("secret"))

	g = pulumitest.Run(t, program, pulumitest.Options{Unknown: true})
	assert.Equal(t, pulumitest.UnknownValue, g.Output("plain"))
}

func TestJSONFailsOnALateAnyResource(t *testing.T) {
	_, err := pulumitest.RunErr(func(ctx *pulumi.Context) error {
		text, err := use(pulumi.String("*").ToStringOutput()).JSON(iampolicy.Identity)
		if err != nil {
			return err
		}
		_, err = kms.NewKey(ctx, "key", &kms.KeyArgs{Policy: text})
		return err
	}, pulumitest.Options{})
	assert.ErrorContains(t, err, `statement "Use": resource "*": name the ARN`)
}

func TestJSONValidatesAtOnce(t *testing.T) {
	_, err := iampolicy.Document{}.JSON(iampolicy.Identity)
	assert.ErrorContains(t, err, "no statements")
}
