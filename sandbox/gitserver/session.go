package gitserver

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// handshakeLimit is how long a client may take to say who it is.
const handshakeLimit = 20 * time.Second

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.options.Logf("git server: %v", err)
			}
			return
		}
		s.sessions.Go(func() { s.connection(conn) })
	}
}

func (s *Server) config() *ssh.ServerConfig {
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			name, known := s.owner(key)
			if meta.User() != User || !known {
				s.options.Logf("git server: refused %s@ with key %s: it is no deploy key here", meta.User(), ssh.FingerprintSHA256(key))
				return nil, errors.New("no deploy key here")
			}
			return &ssh.Permissions{Extensions: map[string]string{"name": name}}, nil
		},
	}
	config.AddHostKey(s.host)
	return config
}

// connection serves one client until it leaves or the server ends.
func (s *Server) connection(raw net.Conn) {
	defer func() { _ = raw.Close() }()
	stop := closeWith(s.ctx, raw)
	defer stop()
	if err := raw.SetDeadline(time.Now().Add(handshakeLimit)); err != nil {
		return
	}
	conn, channels, requests, err := ssh.NewServerConn(raw, s.config())
	if err != nil {
		return // refused, which is logged, or it asked for the host key only
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for asked := range channels {
		if asked.ChannelType() != "session" {
			_ = asked.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		channel, requests, err := asked.Accept()
		if err != nil {
			return
		}
		s.sessions.Go(func() { s.session(conn.Permissions.Extensions["name"], channel, requests) })
	}
}

// session answers the one command of a channel.
func (s *Server) session(name string, channel ssh.Channel, requests <-chan *ssh.Request) {
	defer func() { _ = channel.Close() }()
	for request := range requests {
		if request.Type != "exec" {
			_ = request.Reply(request.Type == "env", nil) // a variable is taken and not used
			continue
		}
		var command struct{ Line string }
		if err := ssh.Unmarshal(request.Payload, &command); err != nil {
			_ = request.Reply(false, nil)
			return
		}
		_ = request.Reply(true, nil)
		code := s.run(name, command.Line, channel)
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
		return
	}
}

// run answers `git-upload-pack '<repository>'` and refuses everything else.
func (s *Server) run(name, line string, channel ssh.Channel) uint32 {
	program, argument, _ := strings.Cut(line, " ")
	repository := strings.TrimPrefix(strings.Trim(argument, `'" `), "/")
	refuse := func(why string) uint32 {
		s.options.Logf("git server: refused %s: %s", name, why)
		_, _ = fmt.Fprintln(channel.Stderr(), why)
		return 128
	}
	switch {
	case program == "git-receive-pack":
		return refuse("the sandbox's Git server is read-only: it serves the working tree of the checkout")
	case program != "git-upload-pack":
		return refuse(fmt.Sprintf("expected git-upload-pack, got %q", program))
	case repository != Repository:
		return refuse(fmt.Sprintf("no repository %q here: expected %q", repository, Repository))
	}
	if _, err := s.Snapshot(s.ctx); err != nil {
		return refuse(err.Error())
	}
	cmd := exec.CommandContext(s.ctx, s.git, "upload-pack", s.bare())
	cmd.Env = s.environment()
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	input, err := cmd.StdinPipe()
	if err != nil {
		return refuse(err.Error())
	}
	if err := cmd.Start(); err != nil {
		return refuse(err.Error())
	}
	// Wait would wait for the client to close its side, which not every
	// client does: the pipe is fed beside it.
	go func() {
		_, _ = io.Copy(input, channel)
		_ = input.Close()
	}()
	if err := cmd.Wait(); err != nil {
		s.options.Logf("git server: %s: upload-pack: %v", name, err)
		return 1
	}
	return 0
}
