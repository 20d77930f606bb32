package cli

import (
	"fmt"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/vaulthost"
)

// vaultText describes Vault's servers, one line each.
func vaultText(vaults []vaulthost.Status) string {
	var b strings.Builder
	b.WriteString("\nVault (real servers; their pods and nodes are simulated)\n")
	if len(vaults) == 0 {
		b.WriteString("  none\n")
	}
	for _, v := range vaults {
		fmt.Fprintf(&b, "  %s  first start: %s; CA: %s, name: %s\n", v.Cluster, v.FirstStart, v.CAFile, v.ServerName)
		if v.Failure != "" {
			fmt.Fprintf(&b, "    %s\n", v.Failure)
		}
		for _, s := range v.Servers {
			state := "standby"
			switch {
			case s.PID == 0:
				state = "does not run"
			case !s.Initialized:
				state = "not initialised"
			case s.Sealed:
				state = "sealed"
			case s.Active():
				state = "active"
			}
			fmt.Fprintf(&b, "    %s  %s  %s, process %d\n", s.Name, s.URL, state, s.PID)
		}
		if d := v.Database; d != nil {
			fmt.Fprintf(&b, "    PostgreSQL (the machine's own)  %s, database %s, user %s, its first password in %s, process %d\n", d.Address, d.Database, d.User, d.PasswordFile, d.PID)
		}
		if v.DatabaseNote != "" {
			fmt.Fprintf(&b, "    %s\n", v.DatabaseNote)
		}
	}
	return b.String()
}
