package gitops_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The scripts call `vault` and `aws`; here both are this test binary under another
// name, over one file. They know just the calls that the scripts make, refuse all
// others, and can kill the whole "pod" before or after any of them.

const (
	fakeRoot  = "hvs.fakeRootToken0000000000"
	fakeLogin = "hvs.fakeLoginToken000000000"
	fakeJWT   = "simulated token of vault-provisioner"
)

var fakeKeys = []string{"a2V5LW9uZQ==", "a2V5LXR3bw==", "a2V5LXRocmVl", "a2V5LWZvdXI=", "a2V5LWZpdmU="}

// world is the Vault and the recovery secret that the fakes share.
type world struct {
	Initialised  bool
	Inits        int
	RootRevoked  bool
	Audit        []string
	Policies     map[string]string
	Mounts       []string
	Config, Role []string
	Snapshot     []string
	// Versions of the recovery secret, oldest first, and which of them has a label.
	Versions []string
	Labels   map[string]int
	// Lost are servers by address that say that they are not initialised, whatever
	// the others say; Joined the same the other way round.
	Lost, Joined []string
	// Refuse makes calls that contain a text fail, as many times as given.
	Refuse map[string]int
	Calls  []string
}

func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "vault", "aws":
		os.Exit(fake(name, os.Args[1:]))
	}
	os.Exit(m.Run())
}

// fake runs one call: at a kill point it kills its process group, which is the pod.
func fake(name string, args []string) int {
	path := os.Getenv("FAKE_WORLD")
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var w world
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &w)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	call := name + " " + strings.Join(args, " ")
	at, when, _ := strings.Cut(os.Getenv("FAKE_KILL"), " ")
	point := w.isSideEffect(call) && at == fmt.Sprint(w.sideEffects())
	if point && when == "before" {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
	w.Calls = append(w.Calls, call)
	code := w.run(name, args)
	text, _ = json.Marshal(w)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if point && when == "after" {
		_ = syscall.Kill(0, syscall.SIGKILL)
	}
	return code
}

func (w *world) isSideEffect(call string) bool {
	for _, verb := range []string{" operator init", " enable", " write", " revoke", " put-secret-value"} {
		if strings.Contains(call, verb) {
			return true
		}
	}
	return false
}

func (w *world) sideEffects() int {
	n := 0
	for _, call := range w.Calls {
		if w.isSideEffect(call) {
			n++
		}
	}
	return n
}

func (w *world) run(name string, args []string) int {
	call := strings.Join(args, " ")
	for text, times := range w.Refuse {
		if times > 0 && strings.Contains(call, text) {
			w.Refuse[text]--
			fmt.Fprintln(os.Stderr, "simulated refusal of "+text)
			return 2
		}
	}
	if name == "aws" {
		return w.aws(args)
	}
	return w.vault(call, args)
}

func (w *world) initialised(peer string) bool {
	return (w.Initialised || slices.Contains(w.Joined, peer)) && !slices.Contains(w.Lost, peer)
}

func (w *world) vault(call string, args []string) int {
	say := func(v any) int {
		text, _ := json.MarshalIndent(v, "", "  ")
		fmt.Println(string(text))
		return 0
	}
	fail := func(message string) int {
		fmt.Fprintln(os.Stderr, message)
		return 2
	}
	token := os.Getenv("VAULT_TOKEN")
	asRoot := func() bool { return token == fakeRoot && w.Initialised && !w.RootRevoked }
	peer := os.Getenv("VAULT_ADDR")
	switch {
	case call == "status -format=json":
		init := w.initialised(peer)
		status := struct {
			Type        string `json:"type"`
			Initialized bool   `json:"initialized"`
			Sealed      bool   `json:"sealed"`
			Leader      string `json:"leader_address,omitempty"`
		}{"awskms", init, !init, ""}
		if init {
			status.Leader = "https://leader:8200"
		}
		say(status)
		if !init {
			return 2
		}
		return 0
	case strings.HasPrefix(call, "operator init -format=json"):
		if w.initialised(peer) {
			return fail("Vault is already initialized")
		}
		w.Initialised, w.Inits = true, w.Inits+1
		return say(map[string]any{
			"unseal_keys_b64": []string{}, "recovery_keys_b64": fakeKeys,
			"recovery_keys_shares": 5, "recovery_keys_threshold": 3, "root_token": fakeRoot,
		})
	case strings.HasPrefix(call, "write -field=token auth/provisioner/login"):
		if !slices.Contains(args, "role=provisioner") || len(w.Config) == 0 || len(w.Role) == 0 || !slices.Contains(w.Mounts, "provisioner/") {
			return fail("Code: 403. permission denied")
		}
		jwt, err := os.ReadFile(strings.TrimPrefix(args[len(args)-1], "jwt=@"))
		if err != nil || string(jwt) != fakeJWT {
			return fail("Code: 403. permission denied")
		}
		fmt.Println(fakeLogin)
		return 0
	case token == fakeLogin && call == "token capabilities sys/policies/acl/any":
		if w.Policies["provisioner"] == "" {
			fmt.Println("deny")
			return 0
		}
		fmt.Println("create, delete, read, update")
		return 0
	case token == fakeLogin && call == "token revoke -self":
		return 0
	case !asRoot():
		return fail("Error: Error making API request.\n\nURL: GET\nCode: 403. Errors:\n\n* permission denied. Code: 403.")
	case call == "token lookup":
		return 0
	case call == "audit list -format=json":
		if len(w.Audit) == 0 {
			fmt.Println("No audit devices are enabled.")
			return 2
		}
		return say(named(w.Audit))
	case strings.HasPrefix(call, "audit enable -path="):
		path := strings.TrimPrefix(args[2], "-path=") + "/"
		if slices.Contains(w.Audit, path) {
			return fail("path already in use")
		}
		w.Audit = append(w.Audit, path)
		return 0
	case strings.HasPrefix(call, "policy write provisioner "), strings.HasPrefix(call, "policy write snapshot "):
		text, err := os.ReadFile(args[3])
		if err != nil {
			return fail(err.Error())
		}
		if w.Policies == nil {
			w.Policies = map[string]string{}
		}
		w.Policies[args[2]] = string(text)
		return 0
	case call == "auth list -format=json":
		return say(named(append(slices.Clone(w.Mounts), "token/")))
	case strings.HasPrefix(call, "auth enable -path="):
		path := strings.TrimPrefix(args[2], "-path=") + "/"
		if slices.Contains(w.Mounts, path) {
			return fail("path is already in use")
		}
		w.Mounts = append(w.Mounts, path)
		return 0
	case strings.HasPrefix(call, "write auth/provisioner/config "):
		w.Config = args[2:]
		return 0
	case strings.HasPrefix(call, "write auth/provisioner/role/provisioner "):
		w.Role = args[2:]
		return 0
	case strings.HasPrefix(call, "write auth/provisioner/role/snapshot "):
		w.Snapshot = args[2:]
		return 0
	case call == "token revoke -self":
		w.RootRevoked = true
		return 0
	}
	return fail("the fake vault does not know: " + call)
}

func (w *world) aws(args []string) int {
	fail := func(message string) int {
		fmt.Fprintf(os.Stderr, "\n%s\n", message)
		return 254
	}
	flag := func(name string) string {
		if i := slices.Index(args, name); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return ""
	}
	if args[0] != "secretsmanager" || flag("--secret-id") != "strongroom/recovery" {
		return fail("AccessDeniedException: " + strings.Join(args, " "))
	}
	if w.Labels == nil {
		w.Labels = map[string]int{}
	}
	switch args[1] {
	case "describe-secret":
		return 0
	case "get-secret-value":
		version, ok := w.Labels[flag("--version-stage")]
		if !ok {
			return fail("An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation")
		}
		fmt.Println(w.Versions[version])
		return 0
	case "put-secret-value":
		value, err := os.ReadFile(strings.TrimPrefix(flag("--secret-string"), "file://"))
		if err != nil {
			return fail(err.Error())
		}
		w.Versions = append(w.Versions, string(value))
		last, label := len(w.Versions)-1, flag("--version-stages")
		if old, ok := w.Labels["AWSCURRENT"]; ok && label == "AWSCURRENT" {
			w.Labels["AWSPREVIOUS"] = old
		}
		if last == 0 {
			w.Labels["AWSCURRENT"] = last
		}
		w.Labels[label] = last
		fmt.Println(`{"VersionId": "simulated"}`)
		return 0
	}
	return fail("the fake aws does not know: " + strings.Join(args, " "))
}

func named(names []string) map[string]any {
	m := map[string]any{}
	for _, name := range names {
		m[name] = map[string]any{"type": "simulated"}
	}
	return m
}
