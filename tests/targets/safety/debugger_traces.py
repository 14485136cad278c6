"""Under a debugger of its own, which stops at each call of one function."""

import bdb

from steps import count, three_moments

stops = []


class Debugger(bdb.Bdb):
    def user_call(self, frame, arguments):
        if frame.f_code.co_name == "square":
            stops.append(frame.f_locals["number"])
        self.set_step()

    def user_line(self, frame):
        self.set_step()


def square(number):
    return number * number


def squares():
    return sum(square(number) for number in range(50)), count(500), len(stops)


debugger = Debugger()
debugger.set_trace()
three_moments(squares)
debugger.set_quit()
print(stops)
