package accountapi

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

func TestLifecycleOverTheWire(t *testing.T) {
	w, ctx := newWorld(t, nil), t.Context()
	id, outputs, err := w.client.Create(ctx, vpc())
	require.NoError(t, err)
	require.Equal(t, "10.0.0.0/16", outputs["cidrBlock"])

	o, err := w.client.Read(ctx, vpcType, id)
	require.NoError(t, err)
	direct, err := w.account.Read(ctx, vpcType, id)
	require.NoError(t, err)
	require.Equal(t, direct, o)

	outputs, err = w.client.Update(ctx, vpcURN, vpcType, id, map[string]any{"cidrBlock": "10.0.0.0/16", "tags": map[string]any{"a": "b"}})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": "b"}, outputs["tagsAll"])

	found, err := w.client.FindByURN(ctx, vpcURN)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, id, found[0].ID)
	ids, err := w.client.FindMade(ctx, vpcURN, vpcType)
	require.NoError(t, err)
	require.Equal(t, []string{id}, ids)
	ids, err = w.client.FindMade(ctx, vpcURN, subnet)
	require.NoError(t, err)
	require.Empty(t, ids)
	all, err := w.client.Objects(ctx)
	require.NoError(t, err)
	require.Equal(t, w.account.Objects(), all)

	require.NoError(t, w.client.Delete(ctx, vpcURN, vpcType, id))
	_, err = w.client.Read(ctx, vpcType, id)
	require.ErrorIs(t, err, account.ErrNotFound)
	require.ErrorIs(t, w.client.Delete(ctx, vpcURN, vpcType, id), account.ErrNotFound)
	found, err = w.client.FindByURN(ctx, vpcURN)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestErrorsKeepTheirMeaning(t *testing.T) {
	w, ctx := newWorld(t, nil), t.Context()
	id := w.vpc()
	_, _, err := w.client.Create(ctx, account.CreateRequest{Type: subnet, URN: subnetURN, Region: region,
		Inputs: map[string]any{"vpcId": id, "cidrBlock": "10.0.0.0/24"}})
	require.NoError(t, err)
	for name, call := range map[string]func(a reader) error{
		"no such object": func(a reader) error {
			_, err := a.Read(ctx, vpcType, "vpc-0")
			return err
		},
		"no such type": func(a reader) error {
			_, err := a.Read(ctx, "aws:ec2/vpc:Vpcs", "vpc-0")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, call(w.account), call(w.client))
		})
	}
	t.Run("dependency", func(t *testing.T) {
		require.Equal(t, w.account.Delete(ctx, vpcType, id), w.client.Delete(ctx, vpcURN, vpcType, id))
	})
	t.Run("throttling", func(t *testing.T) {
		require.NoError(t, w.client.SetFault(ctx, account.Fault{Mode: account.Throttle}))
		_, err := w.client.Read(ctx, vpcType, id)
		var refusal *account.Error
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, "ThrottlingException", refusal.Code)
		require.True(t, refusal.Retryable)
	})
	t.Run("an error around the account's", func(t *testing.T) {
		inner := &account.Error{Code: "X", Message: "m", Retryable: true}
		err := failureOf(joined{inner}).err()
		require.EqualError(t, err, "around X: m")
		var refusal *account.Error
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, inner, refusal)
	})
}

type reader interface {
	Read(ctx context.Context, typ, id string) (*account.Object, error)
}

type joined struct{ inner error }

func (j joined) Error() string { return "around " + j.inner.Error() }
func (j joined) Unwrap() error { return j.inner }

func TestFaultsOverTheWire(t *testing.T) {
	w, ctx := newWorld(t, nil), t.Context()
	fault := account.Fault{Type: vpcType, Op: account.OpCreate, Mode: account.FailAlways, Count: 1}
	require.NoError(t, w.client.SetFault(ctx, fault))
	listed, err := w.client.Faults(ctx)
	require.NoError(t, err)
	require.Equal(t, []account.Fault{fault}, listed)
	_, _, err = w.client.Create(ctx, vpc())
	require.ErrorContains(t, err, "injected fault")
	require.NoError(t, w.client.ClearFaults(ctx))
	w.vpc()
	require.ErrorContains(t, w.client.SetFault(ctx, account.Fault{Mode: "slow"}), `fault mode "slow" is not known`)
}

func TestEditMakesDrift(t *testing.T) {
	w, ctx := newWorld(t, nil), t.Context()
	id := w.vpc()
	require.NoError(t, w.client.Edit(ctx, vpcType, id, map[string]any{"tags": map[string]any{"who": "console"}, "enableDnsSupport": nil}))
	o, err := w.client.Read(ctx, vpcType, id)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"who": "console"}, o.Inputs["tags"])
	require.Equal(t, map[string]any{"who": "console"}, o.Outputs["tagsAll"])
	require.NotContains(t, o.Outputs, "enableDnsSupport")
	require.ErrorContains(t, w.client.Edit(ctx, vpcType, id, map[string]any{"tag": "x"}), `no property "tag"`)
	require.ErrorIs(t, w.client.Edit(ctx, vpcType, "vpc-0", map[string]any{"tags": nil}), account.ErrNotFound)
	require.Error(t, w.client.Edit(ctx, vpcType, id, map[string]any{"tags": 7}), "the schema holds")
}

func TestInvokeOverTheWire(t *testing.T) {
	w, ctx := newWorld(t, nil), t.Context()
	result, err := w.client.Invoke(ctx, "aws:index/getRegion:getRegion", region, nil)
	require.NoError(t, err)
	require.Equal(t, region, result["name"])
}

func TestOnlyTheTokenLetsIn(t *testing.T) {
	w := newWorld(t, nil)
	for name, header := range map[string]string{
		"none": "", "another": "Bearer the-tokem", "longer": "Bearer the-token2", "empty": "Bearer ", "not bearer": "Basic the-token",
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequest(http.MethodPost, w.server.URL+pathObjects, strings.NewReader("{}"))
			require.NoError(t, err)
			request.Header.Set("Authorization", header)
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, http.StatusUnauthorized, response.StatusCode)
		})
	}
	stranger, err := NewClient(Connection{URL: w.server.URL, Token: "another"})
	require.NoError(t, err)
	require.ErrorContains(t, stranger.Ping(t.Context()), "does not accept this token")
	require.NoError(t, w.client.Ping(t.Context()))
}

func TestRequestsAreLimited(t *testing.T) {
	w := newWorld(t, nil)
	send := func(body []byte) int {
		request, err := http.NewRequest(http.MethodPost, w.server.URL+pathCreate, bytes.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, http.StatusRequestEntityTooLarge, send(bytes.Repeat([]byte(" "), maxBody+1)))
	require.Equal(t, http.StatusBadRequest, send([]byte("{")))
	large := vpc()
	large.Inputs = map[string]any{"cidrBlock": strings.Repeat("x", maxBody)}
	_, _, err := w.client.Create(t.Context(), large)
	require.ErrorContains(t, err, "are the limit")
	require.Empty(t, w.account.Objects())
}

// A daemon that goes down in the middle of a call is not mistaken for a refusal.
func TestDaemonThatGoesDown(t *testing.T) {
	w := newWorld(t, nil)
	require.NoError(t, w.client.SetFault(t.Context(), hang(account.OpCreate)))
	created := background(func() error { _, _, err := w.client.Create(t.Context(), vpc()); return err })
	require.Eventually(t, func() bool {
		w.server.CloseClientConnections()
		select {
		case err := <-created:
			require.ErrorIs(t, err, ErrDown)
			return true
		default:
			return false
		}
	}, 10*time.Second, 10*time.Millisecond)
}
