package vaultha

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// maxName leaves room in the 63 characters of the bucket's name for "-snapshots"
// and the 8 that Pulumi appends, and in those of roles for more.
const maxName = 40

var (
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	hostForm  = regexp.MustCompile(`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	classForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	tagForm   = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([.-][A-Za-z0-9.-]+)?$`)
)

// Problem is an argument that is not possible. Setting is its path, such as
// "storage.storageClass", which is also that of the configuration key.
type Problem struct {
	Setting, Message string
}

func (p Problem) Error() string { return p.Setting + ": " + p.Message }

// Validate reports the first argument that cannot work.
func (a *Args) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("vault %q: the arguments are nil", name)
	}
	if len(name) > maxName || !nameForm.MatchString(name) {
		return fmt.Errorf("vault %q: the name becomes part of a bucket's: use at most %d letters of lower case, digits and single hyphens, "+
			"beginning with a letter", name, maxName)
	}
	switch {
	case !hostForm.MatchString(a.Hostname):
		return fmt.Errorf("vault %q: hostname %q is not a full domain name in lower case: use one such as %q", name, a.Hostname, "vault.tooling.internal")
	case a.Region == "":
		return fmt.Errorf("vault %q: region is missing: give the one of the unseal key", name)
	}
	if problems := a.Problems(); len(problems) > 0 {
		return fmt.Errorf("vault %q: %w", name, problems[0])
	}
	if a.Storage.Kind == EFS {
		if err := a.validateMounts(); err != nil {
			return fmt.Errorf("vault %q: %w", name, err)
		}
	}
	if err := a.Tags.Validate(); err != nil {
		return fmt.Errorf("vault %q: %w", name, err)
	}
	return nil
}

// Problems are what is wrong with the settings that a person makes, with at most one
// for each of them.
func (a *Args) Problems() []Problem {
	var problems []Problem
	add := func(setting, format string, values ...any) {
		problems = append(problems, Problem{setting, fmt.Sprintf(format, values...)})
	}
	switch {
	case a.Replicas < 3 || a.Replicas > 7:
		add("replicas", "%d servers are not possible: use 3, 5 or 7", a.Replicas)
	case a.Replicas%2 == 0:
		add("replicas", "%d is even: raft needs a majority, so %d servers survive no more failures than %d do: use 3, 5 or 7",
			a.Replicas, a.Replicas, a.Replicas-1)
	}
	a.Storage.problems(add)
	if a.Image.Repository == "" || strings.ContainsAny(a.Image.Repository, " @") {
		add("image.repository", "%q is no repository of an image: use one such as %q", a.Image.Repository, "docker.io/hashicorp/vault")
	}
	if !tagForm.MatchString(a.Image.Tag) {
		add("image.tag", "%q does not pin a version: use one such as %q", a.Image.Tag, "2.0.4")
	}
	a.certificateProblems(add)
	if a.RecoveryWindowDays < 7 || a.RecoveryWindowDays > 30 {
		add("recoveryWindowDays", "%d days are not possible: AWS takes 7 to 30", a.RecoveryWindowDays)
	}
	if a.SnapshotRetentionDays < 1 || a.SnapshotRetentionDays > 3650 {
		add("snapshotRetentionDays", "%d days are not possible: use 1 to 3650", a.SnapshotRetentionDays)
	}
	return problems
}

func (s Storage) problems(add func(setting, format string, values ...any)) {
	switch s.Kind {
	case GP3:
		if !classForm.MatchString(s.StorageClass) {
			add("storage.storageClass", "%q is no name of a storage class: use one such as %q", s.StorageClass, "gp3")
		}
	case EFS:
		if s.StorageClass != "" {
			add("storage.storageClass", "%q would not be used: with efs the volumes are made here, one access point each: remove it, or use type gp3",
				s.StorageClass)
		}
	default:
		add("storage.type", "%q is no kind of storage: use %q or %q", s.Kind, GP3, EFS)
	}
	// 16 TiB is the largest gp3 disk.
	if s.SizeGiB < 1 || s.SizeGiB > 16384 {
		add("storage.sizeGiB", "%d GiB is not possible: use 1 to 16384", s.SizeGiB)
	}
	if s.AuditSizeGiB < 1 || s.AuditSizeGiB > 16384 {
		add("storage.auditSizeGiB", "%d GiB is not possible: use 1 to 16384", s.AuditSizeGiB)
	}
}

func (a *Args) certificateProblems(add func(setting, format string, values ...any)) {
	c, ca := a.Certificate, a.Authority
	switch {
	case c.Days < 2 || c.Days > 825:
		// Apple's and other clients refuse certificates of servers beyond 825 days.
		add("certificate.days", "%d days are not possible: use 2 to 825", c.Days)
	case c.RenewBeforeDays < 1 || c.RenewBeforeDays >= c.Days:
		add("certificate.renewBeforeDays", "%d days before the end of a certificate that is valid for %d are not possible: use 1 to %d",
			c.RenewBeforeDays, c.Days, c.Days-1)
	case c.Days >= ca.Days:
		add("certificate.days", "the certificate is valid for %d days and would outlive its authority, which is for %d (ca.days): use fewer, or more there",
			c.Days, ca.Days)
	case ca.Days <= a.authorityRenewDays():
		add("ca.days", "%d days are too few: the authority is renewed %d days before its end (certificate.days and certificate.renewBeforeDays), "+
			"so that no certificate outlives it: use more than that", ca.Days, a.authorityRenewDays())
	}
	if len(ca.Trusted) == 0 {
		add("ca.trusted", "the list is empty: name the numbers of the authorities that clients trust, such as [1]")
	}
	for i, number := range ca.Trusted {
		if number < 1 {
			add("ca.trusted", "%d is no number of an authority: count from 1", number)
			break
		}
		if slices.Contains(ca.Trusted[:i], number) {
			add("ca.trusted", "%d is listed twice", number)
			break
		}
	}
	if len(ca.Trusted) > 0 && !slices.Contains(ca.Trusted, ca.Active) {
		add("ca.active", "authority %d signs but is not trusted: put it on the list ca.trusted first, and run `up` once before it signs", ca.Active)
	}
}

func (a *Args) validateMounts() error {
	if a.VPCID == nil || a.NodeSecurityGroupID == nil || len(a.Subnets) == 0 {
		return errors.New("vpcId, subnets and nodeSecurityGroupId are needed for EFS: give those of the cluster's nodes")
	}
	var names []string
	for i, subnet := range a.Subnets {
		if subnet.Name == "" || subnet.ID == nil || slices.Contains(names, subnet.Name) {
			return fmt.Errorf("subnets[%d]: give each its ID and a name of its own, one per zone", i)
		}
		names = append(names, subnet.Name)
	}
	return nil
}
