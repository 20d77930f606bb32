// Package account is a simulated AWS account: pure Go, on one machine, kept on
// disk between runs. Nothing in it talks to AWS.
//
// It is stateful and strict, so that a program that works against it has
// proven its references and its order, not only its syntax:
//
//   - every property of a resource has the name and type that the pulumi-aws
//     SDK gives it (package schema); an unknown type or property is an error;
//   - what a resource refers to must exist, in the same region and VPC where
//     AWS says so; names are unique where AWS says so; CIDR blocks lie inside
//     their parents and do not overlap;
//   - deletion is refused while something depends on the object, with AWS's
//     own error codes. Network interfaces are modelled as objects of their
//     own, which is why a subnet cannot go while a load balancer, an
//     endpoint, a NAT gateway, a node or a control plane stands in it;
//   - what can be updated in place and what needs a replacement follows
//     terraform-provider-aws, on which pulumi-aws is built.
//
// An EKS cluster is backed by a real control plane, see [ControlPlanes].
//
// Each change is on disk before it is answered (package journal), so the
// account survives SIGKILL at any moment. An operation that was cut off while
// a control plane was starting, upgrading or stopping is rolled back or
// finished by the next [Open].
//
// # What is not modelled
//
//   - No traffic: there are no packets, instances, disks or nodes. A node group
//     is a record with network interfaces; no kubelet joins the cluster.
//   - No pods of EKS: an add-on is a record, of a short catalogue of versions. What
//     it needs to become active (nodes, rights) is checked all the same, and so
//     is what nodes need to join. Clusters know access entries and no aws-auth
//     ConfigMap, no Fargate and no auto mode.
//   - No authorization: policies must be well-formed, but calls are not checked
//     against them. The operator of the account may do everything.
//   - No quotas, prices or eventual consistency: what is created can be used at
//     once, and there is no limit on the number of VPCs or addresses.
//   - Buckets keep objects and versions of them; policies and lifecycle rules of
//     buckets are checked and not applied, and nothing is encrypted.
//   - A Client VPN endpoint takes mutual TLS only, and no client connects to it
//     here. Its certificates are real ones and are verified.
//   - No scheduled deletion: a deleted KMS key is gone at once, its waiting
//     period is only checked for being in range.
//   - No IPv6, local zones, outposts, IPAM or shared resources; properties that
//     ask for them are refused.
//   - Load balancers are network load balancers, without certificates; records
//     are simple ones and aliases, without routing policies or health checks.
//   - Log groups and key aliases are found by their names alone, so the same
//     name cannot be used in two regions.
//   - Routes and secondary addresses only as far as the stacks use them: routes
//     are resources of their own and lead to internet gateways, NAT gateways and
//     peering connections; an endpoint's own routes are made by the endpoint.
//   - Where the provider itself clears the way before it deletes, the account
//     refuses: a route table with associations, an address in use. A program
//     whose order is right does not notice.
//   - One account, one partition ("aws").
package account
