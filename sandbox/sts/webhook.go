package sts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	authentication "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Webhook answers the TokenReview requests of a cluster's kube-apiserver
// (--authentication-token-webhook-config-file). It accepts v1 and v1beta1, which
// have the same form, and answers in the version it was asked in.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
type Webhook struct {
	Verifier *TokenVerifier
	Access   Access
	Log      *slog.Logger
}

// Review tells which Kubernetes user the token of a cluster stands for. The
// error says why there is none.
func (h *Webhook) Review(cluster, token string) (authentication.UserInfo, error) {
	identity, accessKey, err := h.Verifier.Verify(token, cluster)
	if err != nil {
		return authentication.UserInfo{}, err
	}
	entry, err := h.Access(cluster, identity.ARN)
	if err != nil {
		return authentication.UserInfo{}, fmt.Errorf("cluster %q, principal %q: %w", cluster, identity.ARN, err)
	}
	// The extra keys are those that EKS sets.
	return authentication.UserInfo{
		Username: entry.username(),
		UID:      "aws-iam-authenticator:" + identity.Account + ":" + identity.UserID,
		Groups:   entry.groups(),
		Extra: map[string]authentication.ExtraValue{
			"accessKeyId":  {accessKey},
			"arn":          {identity.ARN},
			"canonicalArn": {identity.ARN},
			"principalId":  {identity.UserID},
			"sessionName":  {""},
		},
	}, nil
}

// ServeHTTP answers a TokenReview for the cluster in the path value "cluster".
// A refused token is answered with 200 and authenticated: false, as the API
// server expects; the reason goes to the log and to the API server's log.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cluster := r.PathValue("cluster")
	var review authentication.TokenReview
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&review); err != nil {
		http.Error(w, "the body is not a TokenReview: "+err.Error(), http.StatusBadRequest)
		return
	}
	if review.Kind != "TokenReview" || !strings.HasPrefix(review.APIVersion, authentication.GroupName+"/v1") {
		http.Error(w, fmt.Sprintf("got %s %s, want a TokenReview of %s", review.APIVersion, review.Kind, authentication.GroupName), http.StatusBadRequest)
		return
	}
	// A new object, so that the token is never sent back.
	answer := authentication.TokenReview{TypeMeta: metav1.TypeMeta{Kind: review.Kind, APIVersion: review.APIVersion}}
	user, err := h.Review(cluster, review.Spec.Token)
	switch {
	case err == nil:
		answer.Status = authentication.TokenReviewStatus{Authenticated: true, User: user}
	case errors.Is(err, ErrToken), errors.Is(err, ErrNoAccessEntry):
		h.Log.Info("token refused", "cluster", cluster, "reason", err)
		answer.Status = authentication.TokenReviewStatus{Error: err.Error()}
	default:
		h.Log.Error("token review failed", "cluster", cluster, "error", err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		h.Log.Info("api server went away", "cluster", cluster, "error", err)
	}
}
