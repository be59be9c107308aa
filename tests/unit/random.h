/* SPDX-License-Identifier: BSD-2-Clause */
/* Random numbers that can be had again: the seed is printed, and KVGATE_TEST_SEED sets it. */
#ifndef KVG_TESTS_RANDOM_H
#define KVG_TESTS_RANDOM_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t random_state;

/** random_seed() - begin a sequence, and say which */
static inline void random_seed(void)
{
	const char *wanted = getenv("KVGATE_TEST_SEED");
	uint32_t seed = 1;

	if (wanted)
		seed = (uint32_t)strtoul(wanted, NULL, 10);
	else if (getrandom(&seed, sizeof(seed), 0) < 0)
		perror("getrandom");

	printf("KVGATE_TEST_SEED=%u\n", seed);
	random_state = seed;
}

/** random_next() - 32 random bits (splitmix64) */
static inline uint32_t random_next(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

/** random_below() - 0..@limit-1 */
static inline uint32_t random_below(uint32_t limit)
{
	return (uint32_t)((uint64_t)random_next() * limit >> 32);
}

#endif
