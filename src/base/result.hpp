#pragma once

// Result<T, E>: a value or an error, never both. Named after std::expected (C++23) where the meaning
// is the same, so that a later switch is mechanical. Why not exceptions: see src/base/README.md.

#include <type_traits>
#include <utility>
#include <variant>

#include "base/assert.hpp"
#include "base/error.hpp"

namespace sbx {

/// The error half on its own; converts into any Result with the same E.
template <class E>
class [[nodiscard]] Unexpected {
 public:
  explicit Unexpected(E error) : error_(std::move(error)) {}
  [[nodiscard]] const E& error() const& { return error_; }
  [[nodiscard]] E&& error() && { return std::move(error_); }

 private:
  E error_;
};

template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  Result(Unexpected<E> error)                                // NOLINT: implicit on purpose
      : state_(std::in_place_index<1>, std::move(error).error()) {}

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  [[nodiscard]] T& value() & {
    SBX_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    SBX_ASSERT(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T value() && {
    SBX_ASSERT(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  [[nodiscard]] T value_or(T other) && {
    return has_value() ? std::move(*this).value() : std::move(other);
  }

  [[nodiscard]] E& error() & {
    SBX_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] const E& error() const& {
    SBX_ASSERT(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] E error() && {
    SBX_ASSERT(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

  /// Adds a line "while TEXT" to the error, if there is one.
  Result context(std::string text) && {
    if (!has_value()) {
      error().trail.push_back(std::move(text));
    }
    return std::move(*this);
  }

 private:
  std::variant<T, E> state_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() = default;
  Result(Unexpected<E> error) : failed_(true), error_(std::move(error).error()) {}  // NOLINT

  [[nodiscard]] bool has_value() const { return !failed_; }
  explicit operator bool() const { return has_value(); }
  void value() const { SBX_ASSERT(has_value()); }
  [[nodiscard]] E& error() & { return error_; }
  [[nodiscard]] const E& error() const& { return error_; }
  [[nodiscard]] E error() && { return std::move(error_); }

  Result context(std::string text) && {
    if (failed_) {
      error_.trail.push_back(std::move(text));
    }
    return std::move(*this);
  }

 private:
  bool failed_ = false;
  E error_{};
};

template <class T>
using FsResult = Result<T, Errno>;

inline Unexpected<Error> fail(Error error) { return Unexpected<Error>(std::move(error)); }
inline Unexpected<Errno> fail(Errno error) { return Unexpected<Errno>(error); }

}  // namespace sbx

#define SBX_CONCAT_(a, b) a##b
#define SBX_CONCAT(a, b) SBX_CONCAT_(a, b)
#define SBX_TRY_IMPL(result, ...)                    \
  __extension__({                                    \
    auto result = (__VA_ARGS__);                     \
    if (!result) [[unlikely]] {                      \
      return ::sbx::fail(std::move(result).error()); \
    }                                                \
    std::move(result).value();                       \
  })

/// The value of a Result, or return its error from the enclosing function:
///   Fd fd = SBX_TRY(open_at(dir, "name", O_RDONLY));
#define SBX_TRY(...) SBX_TRY_IMPL(SBX_CONCAT(sbx_result_, __COUNTER__), __VA_ARGS__)
