package cli

import (
	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/deploy"
)

const whereLong = `

Without names it takes every stack that has a Pulumi.<stack>.yaml, in the order
in which they depend on each other. It acts on AWS with your own credentials and
Pulumi state, or with --sandbox on the sandbox; the first line says which.`

func (a *app) upCommand() *cobra.Command {
	return a.runCommand(deploy.PhaseUp, &cobra.Command{
		Use:   "up [stack...]",
		Short: "Make the stacks what their configuration says",
		Long: `Make the stacks what their configuration says: tooling, then application.
On AWS it shows a preview of each stack first and asks; without a terminal it
needs --yes. What a killed run left behind is dealt with first.` + whereLong,
		Example: `  # Both stacks on AWS; asks before each
  strongroom up

  # One stack in the sandbox
  strongroom up --sandbox tooling

  # In a CI job
  strongroom up --yes --json

  # After a killed run on AWS: the VPC was created, the gateway was not
  strongroom up tooling \
    --adopt 'urn:pulumi:tooling::strongroom::aws:ec2/vpc:Vpc::tooling-vpc=vpc-0a1b2c' \
    --forget 'urn:pulumi:tooling::strongroom::aws:ec2/internetGateway:InternetGateway::tooling-igw'`,
	})
}

func (a *app) previewCommand() *cobra.Command {
	return a.runCommand(deploy.PhasePreview, &cobra.Command{
		Use:   "preview [stack...]",
		Short: "Show what an up would do, and change nothing",
		Long: `Show what an up would do: what it would create, update, replace and delete, and
which properties are the reason. Nothing is changed.

A preview of application needs tooling to be up, because it reads tooling's
outputs.` + whereLong,
		Example: `  # What would change on AWS
  strongroom preview

  # Edit Pulumi.tooling.yaml, then see what it does to the simulated account
  strongroom preview --sandbox tooling

  # In a CI job: has anybody changed something by hand?
  strongroom preview --refresh --expect-no-changes`,
	})
}

func (a *app) refreshCommand() *cobra.Command {
	return a.runCommand(deploy.PhaseRefresh, &cobra.Command{
		Use:   "refresh [stack...]",
		Short: "Read into the state what was changed outside of Pulumi",
		Long: `Read the account into the stacks' state and show what differs from it. Nothing
in the account is changed; the next up puts back what the program says.` + whereLong,
		Example: `  # What was changed by hand?
  strongroom refresh tooling

  # Put it back
  strongroom up tooling`,
	})
}

func (a *app) destroyCommand() *cobra.Command {
	return a.runCommand(deploy.PhaseDestroy, &cobra.Command{
		Use:   "destroy [stack...]",
		Short: "Delete everything in the stacks",
		Long: `Delete everything in the stacks: application, then tooling. On AWS it asks for
each stack's name; without a terminal it needs --yes. What is protected is not
deleted: set strongroom:protect to false and run up first (in the sandbox it
is false already).` + whereLong,
		Example: `  # The application stack on AWS; asks for its name
  strongroom destroy application

  # Both stacks in the sandbox, which stays up
  strongroom destroy --sandbox`,
	})
}
