#pragma once

#include <pthread.h>

namespace sbx::overlay {

/// Starts a thread with a small stack and all signals blocked: signals are the first thread's business. To be joined. False if
/// the machine has no room for another one.
bool start_small_thread(pthread_t& thread, void* (*body)(void*), void* argument) noexcept;

}  // namespace sbx::overlay
