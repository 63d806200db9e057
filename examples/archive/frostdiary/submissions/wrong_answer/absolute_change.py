d = int(input())
dawns = list(map(int, input().split()))
print(max(abs(b - a) for a, b in zip(dawns, dawns[1:])))
