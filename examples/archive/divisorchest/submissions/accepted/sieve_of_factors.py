import sys
from collections import Counter

MODULUS = 998244353


def main():
    numbers = list(map(int, sys.stdin.read().split()))[1:]
    primes = [p for p in range(2, 1001) if all(p % d for d in range(2, int(p**0.5) + 1))]
    exponents = Counter()
    for number, times in Counter(numbers).items():
        for prime in primes:
            if prime * prime > number:
                break
            while number % prime == 0:
                exponents[prime] += times
                number //= prime
        if number > 1:
            exponents[number] += times
    answer = 1
    for exponent in exponents.values():
        answer = answer * (exponent + 1) % MODULUS
    print(answer)


main()
