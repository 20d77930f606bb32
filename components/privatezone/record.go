package privatezone

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// defaultTTL is short, because the names are private and the addresses behind
// them move when their owner is replaced.
const defaultTTL = 60

// RecordArgs are one record set: values, or an alias of an AWS resource.
type RecordArgs struct {
	ZoneID pulumi.StringInput
	// Name in full, such as "vault.tooling.internal".
	Name string
	// Type such as "A", "CNAME" or "TXT".
	Type string
	// TTLSeconds of Values, default 60. An alias has that of its target.
	TTLSeconds int
	Values     pulumi.StringArray
	Alias      *Alias
}

// Alias answers with the addresses of a load balancer or a similar resource.
type Alias struct {
	DNSName pulumi.StringInput
	ZoneID  pulumi.StringInput
	// EvaluateTargetHealth leaves the name without an answer while no target is
	// healthy.
	EvaluateTargetHealth bool
}

var (
	recordName  = regexp.MustCompile(`^(\*\.)?([a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?\.)+[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	recordTypes = map[string]bool{"A": true, "AAAA": true, "CAA": true, "CNAME": true, "MX": true, "NAPTR": true, "PTR": true, "SPF": true, "SRV": true, "TXT": true}
)

// NewRecord makes a record set.
func NewRecord(ctx *pulumi.Context, name string, args *RecordArgs, opts ...pulumi.ResourceOption) (*route53.Record, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("record %q: %w", name, err)
	}
	record := &route53.RecordArgs{
		ZoneId: args.ZoneID,
		Name:   pulumi.String(args.Name),
		Type:   pulumi.String(args.Type),
	}
	if args.Alias != nil {
		record.Aliases = route53.RecordAliasArray{route53.RecordAliasArgs{
			Name:                 args.Alias.DNSName,
			ZoneId:               args.Alias.ZoneID,
			EvaluateTargetHealth: pulumi.Bool(args.Alias.EvaluateTargetHealth),
		}}
	} else {
		ttl := args.TTLSeconds
		if ttl == 0 {
			ttl = defaultTTL
		}
		record.Ttl = pulumi.Int(ttl)
		record.Records = args.Values
	}
	made, err := route53.NewRecord(ctx, name, record, opts...)
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", name, err)
	}
	return made, nil
}

func (a *RecordArgs) validate() error {
	switch {
	case a == nil:
		return errors.New("the arguments are nil")
	case a.ZoneID == nil:
		return errors.New("zoneId is missing: give the zone that the name belongs to")
	case len(a.Name) > 253 || !recordName.MatchString(a.Name):
		return fmt.Errorf("name %q is not a full domain name in lower case: use one such as %q", a.Name, "vault.tooling.internal")
	case !recordTypes[a.Type]:
		return fmt.Errorf("type %q is not one that a private zone takes: use one such as A, CNAME or TXT", a.Type)
	case a.TTLSeconds < 0 || a.TTLSeconds > 604800:
		return fmt.Errorf("ttlSeconds %d is out of range: use 1 to 604800 (one week), or 0 for %d", a.TTLSeconds, defaultTTL)
	case (a.Alias == nil) == (len(a.Values) == 0):
		return errors.New("values and alias: give one of them")
	case a.Alias == nil:
		return nil
	case a.Alias.DNSName == nil || a.Alias.ZoneID == nil:
		return errors.New("alias: dnsName or zoneId is missing: give both")
	case a.TTLSeconds != 0:
		return errors.New("ttlSeconds: an alias has the ttl of its target: leave it out")
	}
	return nil
}
