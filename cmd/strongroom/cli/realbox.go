package cli

import "errors"

func openBox(string) (box, error) { return nil, errors.New("not there yet") }

func findRepo(string) (string, error) { return "", errors.New("not there yet") }
