package accountapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

const (
	// cancelGrace is how long a change that was told to stop may take to say whether it
	// happened. It is below what plugin.Serve gives running calls.
	cancelGrace = 8 * time.Second
	// cancelInterval is how often a change is told to stop that has not reached the
	// daemon yet.
	cancelInterval = 100 * time.Millisecond
	// parallel is how many idle connections are kept. The engine works on as many
	// resources at once as the machine has cores, times four.
	parallel = 64
)

// Client reaches an account in another process. It is safe for concurrent use. Its
// errors are the account's own (account.Error, account.ErrNotFound), or say what to do
// about the connection.
type Client struct {
	connection Connection
	http       *http.Client
	grace      time.Duration
}

// NewClient returns a client of the daemon behind a connection. It does not contact it,
// see Ping.
func NewClient(c Connection) (*Client, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("connection to the sandbox: %w", err)
	}
	// No proxy from the environment: the daemon is on this machine.
	transport := &http.Transport{MaxIdleConns: parallel, MaxIdleConnsPerHost: parallel, IdleConnTimeout: time.Minute}
	return &Client{connection: c, http: &http.Client{Transport: transport}, grace: cancelGrace}, nil
}

// Open returns a client of the daemon that a connection file describes.
func Open(path string) (*Client, error) {
	c, err := Load(path)
	if err != nil {
		return nil, err
	}
	return NewClient(c)
}

// Ping checks that the daemon answers and accepts the token.
func (c *Client) Ping(ctx context.Context) error {
	return c.call(ctx, pathPing, nil, empty{}, nil)
}

// Create makes an object, as account.Account.Create does. When ctx ends, it still tells
// whether the object was made: without an error it was.
func (c *Client) Create(ctx context.Context, req account.CreateRequest) (string, map[string]any, error) {
	var answer created
	err := c.change(ctx, pathCreate, req.URN, createRequest{
		Type: req.Type, URN: req.URN, Region: req.Region, Inputs: req.Inputs, Caller: req.Caller,
	}, &answer)
	return answer.ID, answer.Outputs, err
}

// Read returns an object, with account.ErrNotFound where there is none.
func (c *Client) Read(ctx context.Context, typ, id string) (*account.Object, error) {
	o := &account.Object{}
	if err := c.call(ctx, pathRead, nil, objectRequest{Type: typ, ID: id}, o); err != nil {
		return nil, err
	}
	return o, nil
}

// Update changes the object that was created for urn in place. When ctx ends, it still
// tells whether the change was made.
func (c *Client) Update(ctx context.Context, urn, typ, id string, inputs map[string]any) (map[string]any, error) {
	var answer created
	err := c.change(ctx, pathUpdate, urn, objectRequest{Type: typ, ID: id, Inputs: inputs}, &answer)
	return answer.Outputs, err
}

// Delete removes the object that was created for urn, with account.ErrNotFound where
// there is none. When ctx ends, it still tells whether the object was removed.
func (c *Client) Delete(ctx context.Context, urn, typ, id string) error {
	return c.change(ctx, pathDelete, urn, objectRequest{Type: typ, ID: id}, nil)
}

// Invoke answers a data source by its Pulumi token.
func (c *Client) Invoke(ctx context.Context, token, region string, args map[string]any) (map[string]any, error) {
	var result map[string]any
	err := c.call(ctx, pathInvoke, nil, invokeRequest{Token: token, Region: region, Args: args}, &result)
	return result, err
}

// Objects returns every object, oldest first.
func (c *Client) Objects(ctx context.Context) ([]account.Object, error) {
	var answer objects
	err := c.call(ctx, pathObjects, nil, empty{}, &answer)
	return answer.Objects, err
}

// FindByURN returns the objects that were created for a resource, oldest first, once no
// change for it is under way.
func (c *Client) FindByURN(ctx context.Context, urn string) ([]account.Object, error) {
	var answer objects
	err := c.call(ctx, pathFind, url.Values{queryURN: {urn}}, empty{}, &answer)
	return answer.Objects, err
}

// FindMade returns the IDs of the objects of a type that were created for a resource. It
// fits deploy.Target.FindMade.
func (c *Client) FindMade(ctx context.Context, urn, typ string) ([]string, error) {
	found, err := c.FindByURN(ctx, urn)
	var ids []string
	for _, o := range found {
		if o.Type == typ {
			ids = append(ids, o.ID)
		}
	}
	return ids, err
}

// Edit changes properties of an object behind the back of the program that made it, as
// a person in the console would; nil takes one away. This is how drift is made.
func (c *Client) Edit(ctx context.Context, typ, id string, changes map[string]any) error {
	return c.call(ctx, pathEdit, nil, objectRequest{Type: typ, ID: id, Changes: changes}, nil)
}

// SetFault injects a fault.
func (c *Client) SetFault(ctx context.Context, fault account.Fault) error {
	return c.call(ctx, pathSetFault, nil, fault, nil)
}

// Faults lists the faults that are in force.
func (c *Client) Faults(ctx context.Context) ([]account.Fault, error) {
	var answer faults
	err := c.call(ctx, pathListFaults, nil, empty{}, &answer)
	return answer.Faults, err
}

// ClearFaults removes every fault; calls that hang go on.
func (c *Client) ClearFaults(ctx context.Context) error {
	return c.call(ctx, pathClearFaults, nil, empty{}, nil)
}

// change makes a change and, when ctx ends, asks the daemon to cancel it and waits for
// the answer: without it nobody would know whether the change was made.
func (c *Client) change(ctx context.Context, path, urn string, body, into any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	token := uuid.NewString()
	calling, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	done := make(chan error, 1)
	go func() { done <- c.call(calling, path, url.Values{queryURN: {urn}, queryToken: {token}}, body, into) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace := time.AfterFunc(c.grace, abandon)
	defer grace.Stop()
	go c.cancel(calling, token)
	err := <-done
	if calling.Err() != nil && errors.Is(err, context.Canceled) {
		return fmt.Errorf("the change was told to stop and has not ended %s later; the next run finds what became of it: %w", c.grace, ctx.Err())
	}
	return err
}

// cancel tells a change to stop until it was heard.
func (c *Client) cancel(ctx context.Context, token string) {
	ticker := time.NewTicker(cancelInterval)
	defer ticker.Stop()
	for {
		var answer cancelled
		err := c.call(ctx, pathCancel, url.Values{queryToken: {token}}, empty{}, &answer)
		if err == nil && answer.Found {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (c *Client) call(ctx context.Context, path string, query url.Values, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("request to the sandbox's daemon: %w", err)
	}
	if len(text) > maxBody {
		return fmt.Errorf("request to the sandbox's daemon: it has %d bytes, %d are the limit", len(text), maxBody)
	}
	target := c.connection.URL + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("request to the sandbox's daemon: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.connection.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return c.unreachable(ctx, err)
	case response.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("the daemon at %s does not accept this token, it belongs to another sandbox: run `strongroom sandbox up`", c.connection)
	case response.StatusCode != http.StatusOK:
		return readFailure(response.Status, answer)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("answer of the sandbox's daemon: %w", err)
	}
	return nil
}

// unreachable explains a request that got no answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return fmt.Errorf("%w (nothing answers at %s)", ErrDown, c.connection)
	}
	var sent *url.Error
	if errors.As(err, &sent) {
		err = sent.Err // without the address, which holds the resource's URN
	}
	return fmt.Errorf("%w (its daemon at %s went down before it answered: %w)", ErrDown, c.connection, err)
}
