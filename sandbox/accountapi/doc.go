// Package accountapi carries the simulated AWS account over HTTP on loopback: the
// account lives in the sandbox's daemon, and every provider instance that the engine
// starts is a process of its own.
//
// Every request carries the daemon's bearer token. Errors keep what AWS's own would
// say: the code, and whether the object is gone or the call may be made again.
//
// # When a client goes away
//
// A change belongs to the request that asked for it. If the client is killed, its
// connection ends and with it the change's context: what had not happened yet does not
// happen, a control plane that was starting is stopped and its cluster taken back. What
// had already happened stays, and FindByURN tells of it once nothing is under way for
// that resource any more. So a creation is either rolled back or can be found, never
// half made.
//
// A client that is only told to stop wants to know which of the two it was. It asks the
// daemon to cancel the change and still waits for its answer.
package accountapi
