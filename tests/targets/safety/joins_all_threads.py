import threading

from steps import count, three_moments

three_moments(count)
for number in range(3):
    threading.Thread(target=count, name=f"worker {number}").start()
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
print("alone:", threading.active_count())
