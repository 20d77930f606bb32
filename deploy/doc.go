// Package deploy brings stacks up, previews, refreshes and destroys them with
// the Pulumi engine, from Go.
//
// A [Target] says where: the directory with Pulumi.yaml and the stacks' files,
// the engine to use, the backend that holds the state, and the environment of
// the engine. The program of a stack runs inside the calling process, through
// the Automation API, so that no language host and no second build is needed.
//
//	target := &deploy.Target{WorkDir: "."}
//	result, err := target.Up(ctx, "tooling", deploy.Options{
//		Events: func(e deploy.Event) { log.Print(e) },
//	})
//
// What a killed run leaves behind is dealt with before the next one starts: a
// lock whose holder is gone, and creations of which the state does not know
// whether they happened. See [Target.FindMade].
package deploy
