package accountapi

import "github.com/strongroom-platform/strongroom/sandbox/account"

// Paths of the requests, all of them POST. The URN of the resource that a change is
// made for is in the query, so that it is known before the body has arrived.
const (
	// Prefix begins every path of this API.
	Prefix = "/account/v1/"

	pathPing        = Prefix + "ping"
	pathCreate      = Prefix + "create"
	pathRead        = Prefix + "read"
	pathUpdate      = Prefix + "update"
	pathDelete      = Prefix + "delete"
	pathInvoke      = Prefix + "invoke"
	pathCancel      = Prefix + "cancel"
	pathObjects     = Prefix + "objects"
	pathFind        = Prefix + "find"
	pathEdit        = Prefix + "edit"
	pathSetFault    = Prefix + "faults/set"
	pathListFaults  = Prefix + "faults/list"
	pathClearFaults = Prefix + "faults/clear"

	queryURN   = "urn"
	queryToken = "operation"
)

// maxBody is far above the largest resource: AWS itself takes no policy, user data or
// secret above 64 KiB.
const maxBody = 4 << 20

type createRequest struct {
	Type   string         `json:"type"`
	URN    string         `json:"urn"`
	Region string         `json:"region"`
	Inputs map[string]any `json:"inputs"`
	Caller string         `json:"caller,omitempty"`
}

// created answers a creation and, without an ID, an update.
type created struct {
	ID      string         `json:"id,omitempty"`
	Outputs map[string]any `json:"outputs"`
}

// objectRequest names an object. Inputs are those of an update, Changes those of an
// edit.
type objectRequest struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Inputs  map[string]any `json:"inputs,omitempty"`
	Changes map[string]any `json:"changes,omitempty"`
}

type invokeRequest struct {
	Token  string         `json:"token"`
	Region string         `json:"region"`
	Args   map[string]any `json:"args"`
}

type cancelled struct {
	// Found says whether the operation is under way.
	Found bool `json:"found"`
}

type empty struct{}

type objects struct {
	Objects []account.Object `json:"objects"`
}

type faults struct {
	Faults []account.Fault `json:"faults"`
}
