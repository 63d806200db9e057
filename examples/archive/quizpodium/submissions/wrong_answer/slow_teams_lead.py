teams = []
for _ in range(int(input())):
    name, points, minutes = input().split()
    teams.append((int(points), int(minutes), name))
teams.sort(reverse=True)
for _, _, name in reversed(teams[:3]):
    print(name)
