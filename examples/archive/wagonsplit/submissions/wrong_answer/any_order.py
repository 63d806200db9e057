import heapq

w, b = map(int, input().split())
loads = [0] * w
for block in sorted(map(int, input().split()), reverse=True):
    heapq.heapreplace(loads, loads[0] + block)
print(max(loads))
