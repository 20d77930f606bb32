package vaultaccess

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Cluster is the API of the cluster that Vault runs in. It is spoken to in plain JSON:
// the three calls that are needed do not warrant the types of all of Kubernetes.
type Cluster struct {
	config *rest.Config
	client *http.Client
	base   *url.URL
}

// Connect reads a kubeconfig, and contacts nothing. Where it runs a command for its
// credentials (`aws eks get-token`), that command gets the environment in addition to
// this process' own, and is looked for on the PATH in it.
func Connect(kubeconfig string, environment map[string]string) (*Cluster, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(kubeconfig))
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of the cluster that Vault runs in: %w", err)
	}
	if config.ExecProvider != nil {
		extend(config.ExecProvider, environment)
	}
	return Reach(config)
}

// Reach is Connect for who has read the kubeconfig already.
func Reach(config *rest.Config) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.Timeout = 0 // a call has its limit below, and a tunnel lasts
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of the cluster that Vault runs in: %w", err)
	}
	client.Timeout = requestTimeout
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of the cluster that Vault runs in: %w", err)
	}
	return &Cluster{config, client, base}, nil
}

// Config is for other calls of the cluster's API.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

func extend(command *clientcmdapi.ExecConfig, environment map[string]string) {
	for name, value := range environment {
		command.Env = append(command.Env, clientcmdapi.ExecEnvVar{Name: name, Value: value})
	}
	if strings.ContainsRune(command.Command, filepath.Separator) {
		return
	}
	for _, folder := range filepath.SplitList(environment["PATH"]) {
		if found, err := exec.LookPath(filepath.Join(folder, command.Command)); err == nil {
			command.Command = found
			return
		}
	}
}

// Server is a pod of Vault.
type Server struct {
	Name string
	// Phase is Kubernetes' word, such as "Running".
	Phase string
	// Active is what Vault itself has written on the pod.
	Active bool
}

// Servers are the pods of Vault, the active one first.
func (c *Cluster) Servers(ctx context.Context) ([]Server, error) {
	var list struct {
		Items []struct {
			Metadata struct {
				Name   string            `json:"name"`
				Labels map[string]string `json:"labels"`
			} `json:"metadata"`
			Status struct {
				Phase string `json:"phase"`
			} `json:"status"`
		} `json:"items"`
	}
	// The labels of the chart's servers, as in components/vaultha.
	query := url.Values{"labelSelector": {"app.kubernetes.io/name=vault,component=server"}}
	if err := c.call(ctx, http.MethodGet, podsPath+"?"+query.Encode(), nil, &list); err != nil {
		return nil, fmt.Errorf("pods of Vault: %w", err)
	}
	servers := make([]Server, len(list.Items))
	for i, pod := range list.Items {
		servers[i] = Server{
			Name: pod.Metadata.Name, Phase: pod.Status.Phase,
			Active: pod.Metadata.Labels["vault-active"] == "true",
		}
	}
	slices.SortFunc(servers, func(a, b Server) int {
		if a.Active != b.Active {
			if a.Active {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return servers, nil
}

// tokenSeconds is how long a token of the cluster is good for: the least that Kubernetes
// gives. It is used once, at once.
const tokenSeconds = 600

// Token is a new token of a service account beside Vault, for Vault alone.
func (c *Cluster) Token(ctx context.Context, serviceAccount string) (string, error) {
	request := map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
		"spec": map[string]any{"audiences": []string{Audience}, "expirationSeconds": tokenSeconds},
	}
	var answer struct {
		Status struct {
			Token string `json:"token"`
		} `json:"status"`
	}
	path := "/api/v1/namespaces/" + Namespace + "/serviceaccounts/" + serviceAccount + "/token"
	if err := c.call(ctx, http.MethodPost, path, request, &answer); err != nil {
		return "", fmt.Errorf("token of the service account %s/%s: %w", Namespace, serviceAccount, err)
	}
	if answer.Status.Token == "" {
		return "", fmt.Errorf("token of the service account %s/%s: the answer has none", Namespace, serviceAccount)
	}
	return answer.Status.Token, nil
}

const podsPath = "/api/v1/namespaces/" + Namespace + "/pods"

func (c *Cluster) url(path string) *url.URL {
	return c.base.ResolveReference(&url.URL{Path: strings.TrimSuffix(c.base.Path, "/") + path})
}

// call makes one call of the API. No secret is in its errors: they hold what the API
// said about a refusal.
func (c *Cluster) call(ctx context.Context, method, path string, input, output any) error {
	var body io.Reader
	if input != nil {
		data, err := json.Marshal(input)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	path, query, _ := strings.Cut(path, "?")
	at := c.url(path)
	at.RawQuery = query
	request, err := http.NewRequestWithContext(ctx, method, at.String(), body)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if err != nil {
		return fmt.Errorf("the cluster's API: %w", err)
	}
	defer func() { _ = response.Body.Close() }() // only read from
	data, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return fmt.Errorf("the cluster's API: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		var status struct {
			Message string `json:"message"`
		}
		if json.Unmarshal(data, &status) == nil && status.Message != "" {
			return errors.New("the cluster's API: " + status.Message)
		}
		return errors.New("the cluster's API answered " + strconv.Itoa(response.StatusCode))
	}
	if err := json.Unmarshal(data, output); err != nil {
		return fmt.Errorf("the cluster's API: the answer is not JSON: %w", err)
	}
	return nil
}
