// Package podidentity plays the EKS Pod Identity Agent, which runs on every node
// and gives a pod the credentials of the role that is associated with its service
// account.
//
// It is asked as the agent is, by the AWS SDKs' container credentials: GET
// /v1/credentials with the pod's service-account token for the audience
// pods.eks.amazonaws.com. The token is reviewed by the control plane that issued
// it; the association and the role are the simulated account's.
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
package podidentity

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	authv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Path is where the agent answers.
const Path = "/v1/credentials"

// Audience is that of the tokens it takes.
const Audience = "pods.eks.amazonaws.com"

// Agent answers for all clusters of an account.
type Agent struct {
	// Cluster finds a cluster by the issuer of its tokens.
	Cluster func(issuer string) (name string, client kubernetes.Interface, err error)
	// Role finds the role that is associated with a service account.
	Role func(cluster, namespace, serviceAccount string) (name, arn string, err error)
	// Sessions keeps what was given out.
	Sessions *Sessions
	Log      *slog.Logger
}

func (a *Agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	credentials, err := a.credentials(r.Context(), r.Header.Get("Authorization"))
	if err != nil {
		a.Log.Info("pod identity refused", "error", err)
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(credentials); err != nil {
		a.Log.Info("pod identity client went away", "error", err)
	}
}

func (a *Agent) credentials(ctx context.Context, token string) (Credentials, error) {
	issuer, err := issuerOf(token)
	if err != nil {
		return Credentials{}, err
	}
	cluster, client, err := a.Cluster(issuer)
	if err != nil {
		return Credentials{}, err
	}
	namespace, serviceAccount, err := review(ctx, client, token)
	if err != nil {
		return Credentials{}, fmt.Errorf("cluster %q: %w", cluster, err)
	}
	role, _, err := a.Role(cluster, namespace, serviceAccount)
	if err != nil {
		return Credentials{}, err
	}
	return a.Sessions.Issue(role, "eks-"+cluster+"-"+serviceAccount)
}

// issuerOf reads who issued a token, which nobody has checked yet.
func issuerOf(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("the Authorization header is no service-account token")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", errors.New("the Authorization header is no service-account token")
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Issuer == "" {
		return "", errors.New("the service-account token names no issuer")
	}
	return claims.Issuer, nil
}

// review asks the API server whose token it is.
func review(ctx context.Context, client kubernetes.Interface, token string) (namespace, serviceAccount string, err error) {
	answer, err := client.AuthenticationV1().TokenReviews().Create(ctx, &authv1.TokenReview{
		Spec: authv1.TokenReviewSpec{Token: token, Audiences: []string{Audience}},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", "", fmt.Errorf("token review: %w", err)
	}
	if !answer.Status.Authenticated {
		return "", "", fmt.Errorf("the service-account token is not good for the audience %s: %s", Audience, answer.Status.Error)
	}
	rest, found := strings.CutPrefix(answer.Status.User.Username, "system:serviceaccount:")
	namespace, serviceAccount, both := strings.Cut(rest, ":")
	if !found || !both {
		return "", "", fmt.Errorf("%s is not a service account", answer.Status.User.Username)
	}
	return namespace, serviceAccount, nil
}
