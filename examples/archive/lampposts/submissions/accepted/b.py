import sys

numbers = list(map(int, sys.stdin.read().split()))
reach = numbers[1]
posts = numbers[2:]
posts.sort()
count = 0
longest = 0
for i in range(1, len(posts)):
    stretch = posts[i] - posts[i - 1] - 2 * reach
    if stretch > 0:
        count += 1
        longest = max(longest, stretch)
print(count, longest)
