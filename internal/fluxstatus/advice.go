package fluxstatus

import "strings"

// advice says what is behind a message of the source controller, which tells it in the
// words of the library of an SSH or OCI client.
var advice = []struct{ in, say string }{
	{"knownhosts: key mismatch", "wrong host key: the Git server shows another one than strongroom:flux.knownHosts pins; find out why before you change it"},
	{"knownhosts: key is unknown", "unknown host key: strongroom:flux.knownHosts does not have the Git server's; take it from the host's own documentation"},
	{"unable to authenticate", "wrong deploy key: the Git server does not let the key in; tell it the stack's output fluxDeployKey"},
	{"known_hosts", "missing known_hosts: the Secret pins no host key; set strongroom:flux.knownHosts and run up"},
	{"couldn't find remote ref", "missing branch: the repository does not have it; see strongroom:flux.branch"},
	{"reference not found", "missing branch: the repository does not have it; see strongroom:flux.branch"},
	{"path not found", "missing path: the repository does not have the folder"},
	// What the sandbox's registry says of a file of its mirror.
	{"is not what was fetched", "damaged chart: its file in the sandbox's chart mirror was changed; `make charts` fetches it again"},
	{"variable not set", "missing value: the runtime info lacks a key that the tree uses; run up"},
}

// reasonOf is a condition in one line.
func reasonOf(c Condition) string {
	line := strings.TrimSpace(c.Reason + ": " + c.Message)
	if c.Status != "True" {
		for _, a := range advice {
			if strings.Contains(c.Message, a.in) {
				return OneLine(a.say + " (" + line + ")")
			}
		}
	}
	return OneLine(line)
}
