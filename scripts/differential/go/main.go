// Answers questions about RFC 6962 proofs by transparency-dev/merkle: one byte, 1 or 0, for each question on
// standard input. A question is: kind (0 inclusion, 1 consistency), two sizes of 8 bytes, the number of hashes in two
// bytes, two hashes (leaf and root, or the two roots), then the proof's hashes.
package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"log"
	"os"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	defer out.Flush()
	for {
		if in.Buffered() == 0 { // Nothing more was asked so far: who asked waits for its answers.
			if err := out.Flush(); err != nil {
				log.Fatal(err)
			}
		}
		head := make([]byte, 1+8+8+2+32+32)
		if _, err := io.ReadFull(in, head); err == io.EOF {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		first, second := binary.BigEndian.Uint64(head[1:]), binary.BigEndian.Uint64(head[9:])
		hashes := make([][]byte, binary.BigEndian.Uint16(head[17:]))
		for i := range hashes {
			hashes[i] = make([]byte, 32)
			if _, err := io.ReadFull(in, hashes[i]); err != nil {
				log.Fatal(err)
			}
		}
		var err error
		switch head[0] {
		case 0:
			err = proof.VerifyInclusion(rfc6962.DefaultHasher, first, second, head[19:51], hashes, head[51:83])
		case 1:
			err = proof.VerifyConsistency(rfc6962.DefaultHasher, first, second, hashes, head[19:51], head[51:83])
		default:
			log.Fatalf("kind %d", head[0])
		}
		answer := byte(0)
		if err == nil {
			answer = 1
		}
		if err := out.WriteByte(answer); err != nil {
			log.Fatal(err)
		}
	}
}
