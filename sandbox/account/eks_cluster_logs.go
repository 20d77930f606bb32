package account

func logGroupOf(cluster *Object) string { return "/aws/eks/" + cluster.ID + "/cluster" }

// makeLogGroup makes the log group that a cluster's logs go to, where the
// program has not made it before: then the program can no longer make it, and
// nothing ends its retention.
func (v *view) makeLogGroup(cluster *Object) {
	name := logGroupOf(cluster)
	if len(cluster.in().Strings("enabledClusterLogTypes")) == 0 || v.get(typeLogGroup, name) != nil {
		return
	}
	v.own(cluster, typeLogGroup, name, map[string]any{
		"name": name, "arn": arn("logs", cluster.Region, "log-group:"+name), "retentionInDays": 0.0, "logGroupClass": "STANDARD",
	})
}

// leaveLogGroup is what happens to a log group of EKS's own when its cluster
// goes: it stays, as in AWS. Where the cluster never came up, it is undone.
func (v *view) leaveLogGroup(cluster *Object) {
	for _, group := range v.owned(cluster, typeLogGroup) {
		if cluster.State == Creating {
			v.del(group.Type, group.ID)
		} else {
			v.edit(group.Type, group.ID).Owner = ""
		}
	}
}
