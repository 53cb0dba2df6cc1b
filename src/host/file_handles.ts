/** The two handles under a {@linkcode RandomAccessFile}, and promises over `node:fs`. @module */

import * as fs from "node:fs";
import type { FileIdentity, RandomAccessFileOptions } from "./file.ts";

/** What an open file consists of. */
export interface FileHandles {
  /** The file descriptor that reads and measures. */
  readonly descriptor: number;
  /** The handle that writes, truncates and syncs. */
  readonly writer: Deno.FsFile | undefined;
  /** Which file both have open. */
  readonly identity: FileIdentity;
}

/** How often a path is opened anew when another file took its place between the two opens. */
const ATTEMPTS = 5;

/**
 * Opens both handles on one file.
 *
 * @param path The path.
 * @param options How to open it.
 * @returns The handles.
 * @throws The runtime's error when the file cannot be opened, or is a directory.
 */
export async function openHandles(
  path: string,
  options: RandomAccessFileOptions,
): Promise<FileHandles> {
  for (let attempt = 1;; attempt++) {
    const writer = options.write ? await openWriter(path, options) : undefined;
    let descriptor: number | undefined;
    try {
      descriptor = await openDescriptor(path, options);
      const [status, writerStatus] = await Promise.all([
        statDescriptor(descriptor),
        writer?.stat(),
      ]);
      // Only reached for reading: the system refuses to write to a directory by itself.
      if (status.isDirectory) {
        throw new Deno.errors.IsADirectory("the path is a directory");
      }
      // Where the system has no inodes, the second look cannot be taken.
      const inode = writerStatus?.ino ?? null;
      if (inode === null || inode === Number(status.inode)) {
        const key = `${status.device}:${status.inode}`;
        return {
          descriptor,
          writer,
          identity: { key, mode: status.mode, size: status.size },
        };
      }
      if (attempt === ATTEMPTS) {
        throw new Error("The path names another file at each look");
      }
    } catch (error) {
      writer?.close();
      if (descriptor !== undefined) await closeDescriptor(descriptor);
      throw error;
    }
    writer?.close();
    await closeDescriptor(descriptor);
  }
}

function openWriter(
  path: string,
  options: RandomAccessFileOptions,
): Promise<Deno.FsFile> {
  return Deno.open(path, {
    write: true,
    read: options.read ?? true,
    create: options.create ?? false,
    createNew: options.createNew ?? false,
    ...(options.mode === undefined ? {} : { mode: options.mode }),
  });
}

function openDescriptor(
  path: string,
  options: RandomAccessFileOptions,
): Promise<number> {
  const flags = options.read ?? true
    ? fs.constants.O_RDONLY
    : fs.constants.O_WRONLY;
  return new Promise((resolve, reject) => {
    fs.open(
      path,
      flags,
      (error, descriptor) => error ? reject(error) : resolve(descriptor),
    );
  });
}

/**
 * Reads once at a position.
 *
 * @param descriptor The file descriptor.
 * @param into Gets the bytes.
 * @param position Where to read, in bytes.
 * @returns How many bytes were read; 0 at the end of the file.
 */
export function readDescriptor(
  descriptor: number,
  into: Uint8Array,
  position: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.read(
      descriptor,
      into,
      0,
      into.length,
      position,
      (error, count) => error ? reject(error) : resolve(count),
    );
  });
}

/** What the system says about an open file. */
interface DescriptorStatus {
  readonly device: bigint;
  readonly inode: bigint;
  readonly mode: number;
  readonly size: number;
  readonly isDirectory: boolean;
}

/**
 * Asks the system about an open file.
 *
 * @param descriptor The file descriptor.
 * @returns Device, inode, permission bits, size in bytes and whether it is a directory.
 */
export function statDescriptor(descriptor: number): Promise<DescriptorStatus> {
  return new Promise((resolve, reject) => {
    // As bigints, since an inode may be larger than what a number holds exactly.
    fs.fstat(descriptor, { bigint: true }, (error, status) => {
      if (error) return reject(error);
      resolve({
        device: status.dev,
        inode: status.ino,
        mode: Number(status.mode) & 0o777,
        size: Number(status.size),
        isDirectory: status.isDirectory(),
      });
    });
  });
}

/**
 * Closes a file descriptor.
 *
 * @param descriptor The file descriptor.
 */
export function closeDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.close(descriptor, (error) => error ? reject(error) : resolve());
  });
}
