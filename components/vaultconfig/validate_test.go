package vaultconfig_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

// Bad input is refused before anything is made, with the workload and the key.
func TestValidate(t *testing.T) {
	type change = func(*vaultconfig.Args)
	first := func(f func(*vaultconfig.Workload)) change {
		return func(a *vaultconfig.Args) { f(&a.Workloads[0]) }
	}
	path := func(p string) change {
		return first(func(w *vaultconfig.Workload) { w.Secrets[0].Path = p })
	}
	job := func(f func(*vaultconfig.GitLabJob)) change {
		return func(a *vaultconfig.Args) { f(a.Workloads[4].GitLab) }
	}
	for want, c := range map[string]change{
		`workloads[1].name: workload "orders": workloads[0] has this name too`:                                             func(a *vaultconfig.Args) { a.Workloads[1].Name = "orders" },
		`workloads[0].database.name: workload "orders": there is no database "order": expected one of "orders", "catalog"`: first(func(w *vaultconfig.Workload) { w.Database.Name = "order" }),
		`workloads[0].database.ttl: workload "orders": 3h0m0s is longer than maxTtl, 2h0m0s`:                               first(func(w *vaultconfig.Workload) { w.Database.TTL = 3 * time.Hour }),
		`workloads[0].ttl: workload "orders": 2h0m0s is longer than maxTtl, 1h0m0s`:                                        first(func(w *vaultconfig.Workload) { w.TTL = 2 * time.Hour }),
		`workloads[0].ttl: workload "orders": 100ms is no usable time`:                                                     first(func(w *vaultconfig.Workload) { w.TTL = 100 * time.Millisecond }),
		`workloads[0].maxTtl: workload "orders": 769h0m0s is no usable time: expected whole seconds, at most 768h0m0s`:     first(func(w *vaultconfig.Workload) { w.MaxTTL = 769 * time.Hour }),
		`workloads[0].secrets[0].path: workload "orders": "secret/orders" is outside of the kv engine`:                     path("secret/orders"),
		`workloads[0].secrets[0].path: workload "orders": "kv/" is outside of the kv engine`:                               path("kv/"),
		`"kvs/orders" is outside of the kv engine`:                                                                         path("kvs/orders"),
		`"kv/../sys" contains ".."`:                                                          path("kv/../sys"),
		`"kv/*" is every secret there is`:                                                    path("kv/*"),
		`"kv/*/orders" has a * in the middle`:                                                path("kv/*/orders"),
		`"kv/shop/ord*" has a * in the middle`:                                               path("kv/shop/ord*"),
		`"kv/shop//orders" has a part ""`:                                                    path("kv/shop//orders"),
		`"kv/shop/+" has a part "+"`:                                                         path("kv/shop/+"),
		`"kv/{{identity.entity.id}}" has a part`:                                             path("kv/{{identity.entity.id}}"),
		`"kv/shop/shared/*" is listed twice`:                                                 first(func(w *vaultconfig.Workload) { w.Secrets = append(w.Secrets, w.Secrets[1]) }),
		`workloads[0].namespace: workload "orders": "*" is not the name of one namespace`:    first(func(w *vaultconfig.Workload) { w.Namespace = "*" }),
		`workloads[0].serviceAccount: workload "orders": "*" is not the name of one`:         first(func(w *vaultconfig.Workload) { w.ServiceAccount = "*" }),
		`workloads[0].serviceAccount: workload "orders": every pod of the namespace`:         first(func(w *vaultconfig.Workload) { w.ServiceAccount = "default" }),
		`workloads[0]: workload "orders": has 2 ways to log in`:                              first(func(w *vaultconfig.Workload) { w.AppRole = true }),
		`workloads[0]: workload "orders": has 0 ways to log in`:                              first(func(w *vaultconfig.Workload) { w.Namespace, w.ServiceAccount = "", "" }),
		`workloads[0]: workload "orders": may do nothing`:                                    first(func(w *vaultconfig.Workload) { w.Secrets, w.Database = nil, nil }),
		`workloads[0].name: "Orders" is no usable name`:                                      first(func(w *vaultconfig.Workload) { w.Name = "Orders" }),
		`workloads[0].namespace: workload "orders": no cluster logs in here`:                 func(a *vaultconfig.Args) { a.Cluster = nil },
		`workloads[2].appRole: workload "appliance": the login by AppRole is not turned on`:  func(a *vaultconfig.Args) { a.AppRole = false },
		`workloads[3].iamRoleArns: workload "backup": the login by AWS IAM is not turned on`: func(a *vaultconfig.Args) { a.AWS = nil },
		`workloads[3].iamRoleArns[0]: workload "backup": "arn:aws:iam::123456789012:role/*"`: func(a *vaultconfig.Args) { a.Workloads[3].IAMRoleARNs[0] = "arn:aws:iam::123456789012:role/*" },
		`workloads[4].gitlab: workload "deploy": the login of GitLab jobs is not turned on`:  func(a *vaultconfig.Args) { a.GitLab = nil },
		`workloads[4].gitlab.project: workload "deploy": is missing`:                         job(func(g *vaultconfig.GitLabJob) { g.Project = "" }),
		`workloads[4].gitlab.project: workload "deploy": "shop/*" is not the path of one`:    job(func(g *vaultconfig.GitLabJob) { g.Project = "shop/*" }),
		`workloads[4].gitlab.project: workload "deploy": "shop/a,shop/b" is not the path`:    job(func(g *vaultconfig.GitLabJob) { g.Project = "shop/a,shop/b" }),
		`workloads[4].gitlab.branch: workload "deploy": is missing`:                          job(func(g *vaultconfig.GitLabJob) { g.Branch = "" }),
		`workloads[4].gitlab.branch: workload "deploy": "main,x" is not the name of one`:     job(func(g *vaultconfig.GitLabJob) { g.Branch = "main,x" }),
		`gitlab.audience: is missing`:                                                        func(a *vaultconfig.Args) { a.GitLab.Audience = "" },
		`gitlab.url: "gitlab.com" is no URL`:                                                 func(a *vaultconfig.Args) { a.GitLab.URL = "gitlab.com" },
		`gitlab.publicKeys[0]: is no public key in PEM`:                                      func(a *vaultconfig.Args) { a.GitLab.PublicKeys = []string{"x"} },
		`aws.serverId: is missing`:                                                           func(a *vaultconfig.Args) { a.AWS.ServerID = "" },
		`aws.region: is missing`:                                                             func(a *vaultconfig.Args) { a.AWS.Region = "" },
		`aws.stsEndpoint: "sts" is no URL`:                                                   func(a *vaultconfig.Args) { a.AWS.STSEndpoint = "sts" },
		`cluster.method: "oidc" is no way to verify tokens`:                                  func(a *vaultconfig.Args) { a.Cluster.Method = "oidc" },
		`cluster: the endpoint or the certificate authority is`:                              func(a *vaultconfig.Args) { a.Cluster.Endpoint = nil },
		`cluster: the OIDC issuer, the endpoint or the`:                                      func(a *vaultconfig.Args) { a.Cluster.Method = vaultconfig.JWT },
		`owner: "" is no usable name`:                                                        func(a *vaultconfig.Args) { a.Owner = "" },
		`kvMount: "sys" belongs to Vault itself`:                                             func(a *vaultconfig.Args) { a.KVMount = "sys" },
		`databaseMount: "kv" is the path of the kv engine too`:                               func(a *vaultconfig.Args) { a.DatabaseMount = "kv" },
		`databases[0].engine: "oracle" is no database`:                                       func(a *vaultconfig.Args) { a.Databases[0].Engine = "oracle" },
		`databases[0].address: "orders" is no address`:                                       func(a *vaultconfig.Args) { a.Databases[0].Address = "orders" },
		`databases[0].username: "va'ult" is no usable name`:                                  func(a *vaultconfig.Args) { a.Databases[0].Username = "va'ult" },
		`databases[0].database: "" is no usable name`:                                        func(a *vaultconfig.Args) { a.Databases[0].Database = "" },
		`databases[1].name: database "orders": databases[0] has`:                             func(a *vaultconfig.Args) { a.Databases[1].Name = "orders" },
		`databases[0].insecurePlain: passwords would cross the`:                              func(a *vaultconfig.Args) { a.Databases[0].InsecurePlain = true },
	} {
		t.Run(want, func(t *testing.T) {
			args := everything()
			c(args)
			g, err := pulumitest.RunErr(program(args), pulumitest.Options{})
			require.ErrorContains(t, err, want)
			require.ErrorContains(t, err, `vault config "tooling": `)
			require.Empty(t, g.OfType("strongroom:vaultconfig:VaultConfig"))
		})
	}
	_, err := vaultconfig.New(nil, "tooling", nil)
	require.EqualError(t, err, `vault config "tooling": the arguments are nil`)
	require.Empty(t, everything().Problems())
}
