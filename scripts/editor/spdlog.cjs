/**
 * Stands in for the native module `@vscode/spdlog`, whose prebuilt form is in no package registry: log files and with them
 * the editor's output channels, one rotation, synchronous writes. Same interface as the module that it replaces.
 */
const fs = require('node:fs');
const path = require('node:path');

const names = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];
const writers = { trace: 0, debug: 1, info: 2, warn: 3, error: 4, critical: 5 };
let commonLevel = writers.info;

class Logger {
  constructor(_kind, _name, file, maxBytes) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    this.file = file;
    this.maxBytes = maxBytes;
    this.level = commonLevel;
    this.formatted = true;
    /** @type {number | undefined} */
    this.descriptor = fs.openSync(file, 'a');
    this.bytes = fs.fstatSync(this.descriptor).size;
  }

  write(level, message) {
    if (level < this.level || this.descriptor === undefined) return;
    const time = new Date().toISOString().replace('T', ' ').slice(0, 23);
    const line = this.formatted ? `${time} [${names[level]}] ${message}\n` : message;
    if (this.maxBytes > 0 && this.bytes > this.maxBytes) this.rotate();
    this.bytes += fs.writeSync(this.descriptor, line);
  }

  rotate() {
    if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
    fs.renameSync(this.file, `${this.file}.1`);
    this.descriptor = fs.openSync(this.file, 'a');
    this.bytes = 0;
  }

  getLevel() {
    return this.level;
  }

  setLevel(level) {
    this.level = level;
  }

  setPattern() {
    this.formatted = true;
  }

  clearFormatters() {
    this.formatted = false;
  }

  flush() {}

  drop() {
    if (this.descriptor !== undefined) fs.closeSync(this.descriptor);
    this.descriptor = undefined;
  }
}

for (const [name, level] of Object.entries(writers)) {
  Logger.prototype[name] = function (message) {
    this.write(level, message);
  };
}

exports.version = 0;
exports.Logger = Logger;
exports.setLevel = (level) => {
  commonLevel = level;
};
exports.setFlushOn = () => {};
exports.createRotatingLogger = async (name, file, maxBytes) => new Logger('rotating', name, file, maxBytes);
exports.createAsyncRotatingLogger = async (name, file, maxBytes) => new Logger('rotating_async', name, file, maxBytes);
