package clientvpn

import "github.com/strongroom-platform/strongroom/internal/bucket"

// index makes the bucket in which `strongroom vpn` keeps who has a certificate. A key
// of AWS's is enough for it: the index holds names and serial numbers, no secrets.
func (b *builder) index() error {
	made, err := bucket.New(b.ctx, b.name+"-index", &bucket.Args{
		Parent: b.vpn, Protect: b.args.Protect, Tags: b.args.Tags, PublicAccessBlock: "private",
	})
	if err != nil {
		return err
	}
	b.vpn.Bucket = made.Bucket
	return nil
}
