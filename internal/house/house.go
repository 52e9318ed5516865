// Package house holds tests about the code.
package house
