package kind

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"

	"noroshi/internal/state"
)

// past is a bucket that is over. The identities of its events are kept as long as late ones are expected, so that repeats count once.
type past struct {
	bucket int64
	value  float64
	seen   map[uint64]struct{}
}

// usual is what buckets that are over have shown, from one on.
type usual struct {
	first int64
	sum   big.Rat
}

// replace notes that a bucket has shown something else.
func (u *usual) replace(bucket int64, was, is float64) {
	if u != nil && bucket >= u.first {
		u.sum.Add(u.sum.Sub(&u.sum, rational(was)), rational(is))
	}
}

// add adds what a bucket has shown.
func (u *usual) add(bucket int64, value float64) {
	if u != nil && bucket >= u.first {
		u.sum.Add(&u.sum, rational(value))
	}
}

// from is the sum from another bucket on, made anew only where it begins earlier.
func (u *usual) from(first int64, all []past) *usual {
	if u == nil || first < u.first {
		u = &usual{first: first}
		for _, p := range all {
			u.add(p.bucket, p.value)
		}
		return u
	}
	i, _ := find(all, u.first)
	for ; i < len(all) && all[i].bucket < first; i++ {
		u.sum.Sub(&u.sum, rational(all[i].value))
	}
	u.first = first
	return u
}

// top is the most that a bucket held, from one on, on each of two days at least before that of the bucket now; 0 where there are no two.
func (b *baselineSpec) top(all []past, first, now int64) float64 {
	dayOf := func(bucket int64) int64 { return state.Floor(bucket*b.bucket, day) }
	days := map[int64]float64{}
	for i, _ := find(all, first); i < len(all) && dayOf(all[i].bucket) < dayOf(now); i++ {
		of := dayOf(all[i].bucket)
		days[of] = max(days[of], all[i].value)
	}
	most, second := 0.0, 0.0
	for _, v := range days {
		most, second = max(most, v), max(second, min(most, v))
	}
	return second
}

// find is where a bucket that is over lies, or would lie.
func find(all []past, bucket int64) (at int, have bool) {
	return slices.BinarySearchFunc(all, bucket, func(p past, at int64) int { return cmp.Compare(p.bucket, at) })
}

// decimal is a number as its author wrote it: 4.9 is no binary fraction.
func decimal(f float64) *big.Rat {
	if r, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'f', -1, 64)); ok {
		return r
	}
	return rational(f)
}

func rational(f float64) *big.Rat {
	r := new(big.Rat).SetFloat64(f)
	if r == nil {
		return new(big.Rat)
	}
	return r
}
